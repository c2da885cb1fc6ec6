"""Pages of data samples."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from ...common.errors import Problem
from ...common.files.hidden import some_of
from ...common.pages.base import AssetKindMixin, Crumb
from ...common.pages.markup import short
from ...common.pages.snippets import Snippets
from ...common.parsing import as_key, as_keys
from ...feed.pages import AssetPage
from ...permissions.access import may_see_content
from ...permissions.pages import AssetListPage, FormPage, RegisterPage
from ...uploads.pages import UploadView
from ..filters import DataSampleListFilterSet
from ..forms import DataSampleForm, LinkSamplesForm
from ..models import DataSample, Dataset
from ..queries import dataset_keys_of, tasks_using
from ..registration import left_out
from ..rules import archive_advice, check_archive
from ..snippets import sample_snippets
from ..tables import DataSampleTable

# What a page shows of the datasets and the tasks of a sample; lists have all.
PREVIEW_ROWS = 8
# How many files are told what became of them.
NAMED = 20


class DataSamplePageMixin(AssetKindMixin):
    queryset = DataSample.objects.all()
    noun, noun_plural = _("data sample"), _("data samples")
    empty_title = _("No data samples yet")
    register_label = _("Register a data sample")
    list_url, detail_url = "data-samples", "data-sample"
    register_url = "data-sample-new"


class DataSampleList(DataSamplePageMixin, AssetListPage):
    template_name = "datasets/data_samples.html"
    table_class = DataSampleTable
    filterset_class = DataSampleListFilterSet
    filter_models = {"dataset_key": Dataset}
    empty_hint = "A data sample is an archive or a folder with the files of one unit of data."

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # Registering more goes on with the dataset that one looks at.
        dataset = as_key(self.request.GET.get("dataset_key", ""))
        query = f"?dataset={dataset}" if dataset else ""
        return super().get_context_data(dataset_query=query, **kwargs)


class DataSamplePage(DataSamplePageMixin, AssetPage):
    template_name = "datasets/data_sample.html"

    def snippets(self) -> Snippets:
        sample = self.object
        told = may_see_content(self.user, sample)
        place = (sample.path if told else "") or "PATH OF THE FOLDER"
        paths = ["sample.zip"] if sample.archive else [place]
        keys = dataset_keys_of([sample.pk])[sample.pk]
        return sample_snippets(keys, paths, self.request, upload=bool(sample.archive))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sample = self.object
        datasets = sample.datasets.order_by("-creation_date", "-pk")
        tasks = tasks_using(sample)
        return super().get_context_data(
            may_see_content=may_see_content(self.user, sample),
            dataset_count=datasets.count(),
            datasets=datasets[:PREVIEW_ROWS],
            task_count=tasks.count(),
            tasks=tasks[:PREVIEW_ROWS],
            **kwargs,
        )


def _samples_of(dataset_key: UUID) -> str:
    """Return where the data samples of a dataset are listed."""
    return f"{reverse('data-samples')}?dataset_key={dataset_key}"


def _which(archives: Collection[Any], samples: Sequence[DataSample]) -> SafeString:
    """Say which file became which sample: samples have no names, and files are soon forgotten."""
    if not archives or len(archives) > NAMED:
        return SafeString()
    link = '{} is <a class="mono" href="{}">{}</a>'
    named = [
        (file.name, reverse("data-sample", args=[sample.pk]), short(sample.pk))
        for file, sample in zip(archives, samples, strict=False)
    ]
    return format_html(" {}.", format_html_join(", ", link, named))


class DataSampleRegisterPage(DataSamplePageMixin, RegisterPage):
    form_class = DataSampleForm
    note = (
        "Send archives or folders from your computer, or name folders that are on the server. "
        "Fields with a star are required."
    )

    def get_title(self) -> str:
        return "Register data samples"

    def initial(self) -> dict[str, Any]:
        if like := self.like:
            return {"datasets": dataset_keys_of([like.pk])[like.pk]}
        return {"datasets": as_keys(self.request.GET.getlist("dataset"))}

    def snippets(self, form: DataSampleForm) -> Snippets:
        spec = form.spec
        files = [str(file.name) for file in spec.archives.values()]
        paths = files or [str(path) for path in spec.paths] or ["sample.zip"]
        return sample_snippets(
            spec.data_manager_keys, paths, self.request, upload=not spec.paths or bool(files)
        )

    def success(self, result: list[DataSample]) -> tuple[str, str]:
        first = result[0].pk
        many = len(result) > 1
        said = f"{len(result):,} data samples are" if many else "The data sample is"
        which = _which(self.made.spec.archives.values(), result)
        hidden = some_of(path.name for path in left_out(self.made.spec, self.user))
        without = f" Left out, as they are hidden: {hidden}." if hidden else ""
        said = format_html("{} registered.{}{}", said, which, without)
        return said, _samples_of(dataset_keys_of([first])[first][0])


class LinkPage(DataSamplePageMixin, FormPage):
    """Adds data samples to further datasets; `?sample=KEY` and `?dataset=KEY` choose some."""

    form_class = LinkSamplesForm
    title = "Add data samples to datasets"
    button = "Add to the datasets"
    note = (
        "Each of the data samples will belong to each of the datasets, besides those that it "
        "belongs to already. Links are never removed."
    )

    def crumbs(self) -> Sequence[Crumb]:
        return [self.list_crumb()]

    def initial(self) -> dict[str, Any]:
        return {
            "data_samples": as_keys(self.request.GET.getlist("sample")),
            "datasets": as_keys(self.request.GET.getlist("dataset")),
        }

    def success(self, result: tuple[list[UUID], list[UUID]]) -> tuple[str, str]:
        datasets, samples = result
        of = f"{len(samples):,} data samples belong" if samples[1:] else "The data sample belongs"
        to = f"{len(datasets):,} datasets" if datasets[1:] else "the dataset"
        one = reverse("data-sample", args=[samples[0]])
        return f"{of} to {to} now.", _samples_of(datasets[0]) if samples[1:] else one


class DataSampleUpload(UploadView):
    def problems(self, file: File | None) -> Iterable[Problem]:
        return check_archive(file, field="file")

    def advice(self, file: File) -> list[str]:
        return archive_advice(file)
