"""Pages of datasets."""

from functools import partial
from typing import Any

from django.utils.translation import gettext, gettext_lazy as _

from ...common.files.storage import check_upload
from ...common.pages.base import AssetKindMixin
from ...common.pages.snippets import Snippets
from ...feed.pages.assets import AssetPage, RenamePage
from ...permissions.access import why_not_download
from ...permissions.downloads import shown_text
from ...permissions.models import Permissions
from ...permissions.pages import AssetListPage, RegisterPage
from ...uploads.fields import text_advice
from ...uploads.pages import UploadView
from ..filters import DatasetListFilterSet
from ..forms import ConfirmingDatasetForm, DatasetForm
from ..models import Dataset
from ..openers import opener_advice
from ..queries import samples_in, spec_of, tasks_using_dataset
from ..rules import DATASET
from ..snippets import dataset_snippets
from ..tables import DatasetTable

# How many samples and tasks the page of a dataset shows; the lists have all.
PREVIEW_ROWS = 8


class DatasetPageMixin(AssetKindMixin):
    queryset = Dataset.objects.select_related("permissions", "logs_permission")
    noun, noun_plural = _("dataset"), _("datasets")
    empty_title = _("No datasets yet")
    register_label = _("Register a dataset")
    list_url, detail_url = "datasets", "dataset"
    register_url, rename_url = "dataset-new", "dataset-rename"
    can_import = True


class DatasetList(DatasetPageMixin, AssetListPage):
    table_class = DatasetTable
    filterset_class = DatasetListFilterSet
    empty_hint = _("A dataset has an opener, which reads the data, and a description of them.")


class DatasetPage(DatasetPageMixin, AssetPage):
    template_name = "datasets/dataset.html"

    def uses(self) -> list[tuple[str, Permissions]]:
        dataset = self.object
        return [
            (gettext("Process and download"), dataset.permissions),
            (gettext("Read logs"), dataset.logs_permission),
        ]

    def snippets(self) -> Snippets:
        return dataset_snippets(spec_of(self.object), self.request)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        dataset = self.object
        samples, sample_count = samples_in.some([dataset.pk], PREVIEW_ROWS)
        tasks, task_count = tasks_using_dataset.some([dataset.pk], PREVIEW_ROWS)
        return super().get_context_data(
            why_not=why_not_download(self.user, dataset.permissions, dataset.owner_id),
            opener_text=shown_text(self.request, dataset.permissions, dataset, "opener"),
            description_text=shown_text(self.request, dataset.permissions, dataset, "description"),
            sample_count=sample_count,
            samples=samples,
            task_count=task_count,
            tasks=tasks,
            **kwargs,
        )


class DatasetRenamePage(DatasetPageMixin, RenamePage):
    pass


class DatasetRegisterPage(DatasetPageMixin, RegisterPage):
    form_class = ConfirmingDatasetForm
    note = _(
        "Registering a dataset uploads its opener and description, never the data. "
        "Fields with an asterisk are required."
    )

    def initial(self) -> dict[str, Any]:
        if (like := self.like) is None:
            return {}
        return {
            "name": like.name,
            "type": like.type,
            "permissions": like.permissions.value,
            "logs_permission": like.logs_permission.value,
            "metadata": like.metadata,
        }

    def snippets(self, form: DatasetForm) -> Snippets:
        return dataset_snippets(form.spec, self.request)


class OpenerUpload(UploadView):
    check = staticmethod(partial(check_upload, asset=DATASET, field="data_opener"))
    advise = staticmethod(opener_advice)


class DescriptionUpload(UploadView):
    check = staticmethod(partial(check_upload, asset=DATASET, field="description"))
    advise = staticmethod(text_advice)
