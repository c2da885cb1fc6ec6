"""Pages of data samples."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from ...common.audit import note_refusals
from ...common.errors import Refused
from ...common.files.hidden import some_of
from ...common.pages.base import AssetKindMixin
from ...common.pages.markup import short
from ...common.pages.snippets import Snippets
from ...common.parsing import as_key, as_keys
from ...feed.pages.assets import AssetPage
from ...permissions.access import may_see_content
from ...permissions.pages import AssetListPage, FormPage, RegisterPage
from ...uploads.pages import UploadView
from ..filters import DataSampleListFilterSet
from ..forms import DataSampleForm, LinkSamplesForm
from ..models import DataSample, Dataset
from ..queries import dataset_keys_of, datasets_with, tasks_using_sample
from ..registration import check_look_again, left_out, look_again
from ..rules import archive_advice, check_archive
from ..snippets import runner_snippets, sample_snippets
from ..tables import DataSampleTable

# How many datasets and tasks the page of a data sample shows; the lists have all.
PREVIEW_ROWS = 8
# Up to this many files are listed with the keys of their data samples.
NAMED = 20


class DataSamplePageMixin(AssetKindMixin):
    queryset = DataSample.objects.select_related("found")
    noun, noun_plural = _("data sample"), _("data samples")
    empty_title = _("No data samples yet")
    register_label = _("Register a data sample")
    list_url, detail_url = "data-samples", "data-sample"
    register_url = "data-sample-new"
    can_import = True


class DataSampleList(DataSamplePageMixin, AssetListPage):
    template_name = "datasets/data_samples.html"
    table_class = DataSampleTable
    filterset_class = DataSampleListFilterSet
    filter_models = {"dataset_key": Dataset}
    empty_hint = _("A data sample is an archive or a folder with the files of one unit of data.")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        # The form for new samples starts with the dataset that the list is filtered by.
        dataset = as_key(self.request.GET.get("dataset_key", ""))
        query = f"?dataset={dataset}" if dataset else ""
        return super().get_context_data(dataset_query=query, **kwargs)


class DataSamplePage(DataSamplePageMixin, AssetPage):
    """Shows a data sample; a POST asks the owner's runners to look at it again."""

    template_name = "datasets/data_sample.html"

    def snippets(self) -> Snippets:
        sample = self.object
        path = sample.path if may_see_content(self.user, sample) else ""
        paths = ["sample.zip"] if sample.archive else [path or "PATH OF THE FOLDER"]
        keys = dataset_keys_of([sample.pk])[sample.pk]
        if sample.at_runner:
            return runner_snippets(keys, paths, self.request)
        return sample_snippets(keys, paths, self.request, upload=bool(sample.archive))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            look_again(self.object, self.user)
        except Refused as refused:
            note_refusals(refused.problems)
            context = self.get_context_data(problems=refused.problems)
            return self.render_to_response(context, status=422)
        message = gettext("A runner of your organisation looks at the folder again.")
        return self.redirect_with_message(request.path, message)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        sample = self.object
        datasets, dataset_count = datasets_with.some([sample.pk], PREVIEW_ROWS)
        tasks, task_count = tasks_using_sample.some([sample.pk], PREVIEW_ROWS)
        return super().get_context_data(
            may_see_content=may_see_content(self.user, sample),
            may_look_again=sample.at_runner
            and sample.found.problem
            and not any(check_look_again(sample, self.user)),
            dataset_count=dataset_count,
            datasets=datasets,
            task_count=task_count,
            tasks=tasks,
            **kwargs,
        )


def _samples_of(dataset_key: UUID) -> str:
    """Return the address of the list of a dataset's data samples."""
    return f"{reverse('data-samples')}?dataset_key={dataset_key}"


def _which(archives: Collection[Any], samples: Sequence[DataSample]) -> SafeString:
    """Return links to the samples, each after the file's name: samples have no names."""
    if not archives or len(archives) > NAMED:
        return SafeString()
    link = '{}: <a class="mono" href="{}">{}</a>'
    named = [
        (file.name, reverse("data-sample", args=[sample.pk]), short(sample.pk))
        for file, sample in zip(archives, samples, strict=False)
    ]
    return format_html("{}.", format_html_join(", ", link, named))


class DataSampleRegisterPage(DataSamplePageMixin, RegisterPage):
    title = _("Register data samples")
    form_class = DataSampleForm
    note = _(
        "Upload archives or folders from your computer, or enter folders that stay where they are. "
        "Fields with an asterisk are required."
    )

    def initial(self) -> dict[str, Any]:
        if like := self.like:
            return {"datasets": dataset_keys_of([like.pk])[like.pk]}
        return {"datasets": as_keys(self.request.GET.getlist("dataset"))}

    def snippets(self, form: DataSampleForm) -> Snippets:
        spec = form.spec
        files = [str(file.name) for file in spec.archives.values()]
        if spec.runner_paths and not files:
            return runner_snippets(spec.data_manager_keys, spec.runner_paths, self.request)
        paths = files or [str(path) for path in spec.paths] or ["sample.zip"]
        return sample_snippets(
            spec.data_manager_keys, paths, self.request, upload=not spec.paths or bool(files)
        )

    def success(self, result: list[DataSample]) -> tuple[str, str]:
        first = result[0].pk
        count = len(result)
        registered = ngettext(
            "Registered %(count)s data sample.", "Registered %(count)s data samples.", count
        )
        parts: list[str] = [registered % {"count": f"{count:,}"}]
        if links := _which(self.form.spec.archives.values(), result):
            parts.append(links)
        if hidden := some_of(path.name for path in left_out(self.form.spec, self.user)):
            parts.append(gettext("Hidden files are left out: %(names)s.") % {"names": hidden})
        message = format_html_join(" ", "{}", ((part,) for part in parts))
        return message, _samples_of(dataset_keys_of([first])[first][0])


class LinkPage(DataSamplePageMixin, FormPage):
    """Adds data samples to more datasets; `?sample=KEY` and `?dataset=KEY` choose some."""

    form_class = LinkSamplesForm
    can_import = False
    title = _("Add data samples to datasets")
    button = _("Add to datasets")
    note = _("Each data sample is added to each dataset. It also stays in the datasets it is in.")

    def initial(self) -> dict[str, Any]:
        return {
            "data_samples": as_keys(self.request.GET.getlist("sample")),
            "datasets": as_keys(self.request.GET.getlist("dataset")),
        }

    def success(self, result: tuple[list[UUID], list[UUID]]) -> tuple[str, str]:
        datasets, samples = result
        message = ngettext(
            "Added %(count)s data sample to the datasets.",
            "Added %(count)s data samples to the datasets.",
            len(samples),
        ) % {"count": f"{len(samples):,}"}
        one = reverse("data-sample", args=[samples[0]])
        return message, _samples_of(datasets[0]) if samples[1:] else one


class DataSampleUpload(UploadView):
    check = staticmethod(partial(check_archive, field="file"))
    advise = staticmethod(archive_advice)
