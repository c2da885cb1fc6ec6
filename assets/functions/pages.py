"""Pages of functions."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any, NamedTuple

from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.pages.waiting import Line, WorkMixin
from ..common.files.archives.names import Entry
from ..common.files.archives.preview import ArchivePreview, preview_archive
from ..common.kinds import AssetKind
from ..common.pages.bars import steps_bar
from ..common.pages.base import AssetKindMixin, Page
from ..common.pages.snippets import Snippets
from ..common.text.reading import MAX_END, MAX_SHOWN, decoded
from ..feed.pages.assets import AssetPage, AssetPageMixin, RenamePage
from ..permissions.access import may_download, why_not_download
from ..permissions.downloads import record_view, shown_end, shown_text
from ..permissions.models import Permissions
from ..permissions.pages import AssetListPage, RegisterPage
from ..uploads.pages import UploadView
from .drawing import NARROW, WIDE, draw
from .filters import FunctionListFilterSet
from .forms import (
    INPUT_DESCRIPTIONS,
    OUTPUT_DESCRIPTIONS,
    FunctionForm,
    values_of,
)
from .models import FUNCTION_TRANSITIONS, Function, FunctionStatus, FunctionStep
from .queries import spec_of, steps_of, tasks_running
from .rules import DOCKERFILE, archive_advice, check_function_file
from .snippets import function_snippets
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec
from .tables import FunctionTable

# How many tasks the page of a function shows; the list has all.
PREVIEW_ROWS = 8
# How much of a file's name the audit trail stores.
NAME_LENGTH = 500
# How many inputs, and how many outputs, the page lists.
MAX_SLOTS = 200


class FunctionPageMixin(AssetKindMixin):
    queryset = Function.objects.select_related("permissions")
    noun, noun_plural = _("function"), _("functions")
    empty_title = _("No functions yet")
    register_label = _("Register a function")
    list_url, detail_url = "functions", "function"
    register_url, rename_url = "function-new", "function-rename"
    can_import = True


class FunctionList(FunctionPageMixin, AssetListPage):
    table_class = FunctionTable
    filterset_class = FunctionListFilterSet
    empty_hint = _("A function is code with a Dockerfile, and declares its inputs and outputs.")


class Slot(NamedTuple):
    """A row of the table of inputs and outputs."""

    identifier: str
    kind: AssetKind
    description: Any
    how_many: str


def slot(item: FunctionInputSpec | FunctionOutputSpec) -> Slot:
    kind = AssetKind(item.kind)
    if isinstance(item, FunctionOutputSpec):
        how_many = gettext("any number") if item.multiple else gettext("one")
        return Slot(item.identifier, kind, OUTPUT_DESCRIPTIONS[kind], how_many)
    how_many = {
        (False, False): gettext("one"),
        (False, True): gettext("one or none"),
        (True, False): gettext("one or more"),
        (True, True): gettext("any number"),
    }[item.multiple, item.optional]
    return Slot(item.identifier, kind, INPUT_DESCRIPTIONS[kind], how_many)


class FunctionPage(FunctionPageMixin, WorkMixin, AssetPage):
    """A function, with its files and why it could not be built."""

    template_name = "functions/function.html"

    def work(self) -> object:
        function = self.object
        return function.status if FUNCTION_TRANSITIONS[function.status] else None

    def lines(self) -> Iterable[Line]:
        owner = self.object.owner_id
        text = {
            FunctionStatus.WAITING: gettext("It waits for a runner of %(organization)s."),
            FunctionStatus.BUILDING: gettext("A runner of %(organization)s builds it."),
        }[self.object.status]
        return [(text % {"organization": owner}, owner)]

    def progress(self) -> str:
        status = {"status": self.object.get_status_display()}
        return gettext("The status of this function is: %(status)s.") % status

    @cached_property
    def spec(self) -> FunctionSpec:
        return spec_of(self.object)

    def uses(self) -> list[tuple[str, Permissions]]:
        return [(gettext("Run and download"), self.object.permissions)]

    def snippets(self) -> Snippets:
        return function_snippets(self.spec, self.request)

    def failure(self) -> dict[str, Any]:
        """Return the report of a failed function, and whether the user can read its logs."""
        function = self.object
        if function.status != FunctionStatus.FAILED:
            return {}
        # The reports are in the room above; Django offers the one of this function here.
        report = getattr(function, "failure", None)
        return {"failure": True, **failure_of(report, self.request, str(function.owner_id))}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        function = self.object
        kwargs |= self.failure()
        tasks, task_count = tasks_running.some([function.pk], PREVIEW_ROWS)
        if may_download(self.user, function.permissions):
            kwargs["description_text"] = shown_text(
                self.request, function.permissions, function, "description"
            )
            kwargs |= files_context(self.request, function, DOCKERFILE)
        return super().get_context_data(
            why_not=why_not_download(self.user, function.permissions, function.owner_id),
            slot_groups=[
                (heading, [slot(item) for item in items[:MAX_SLOTS]], len(items[MAX_SLOTS:]))
                for heading, items in (
                    (gettext("Inputs"), self.spec.inputs),
                    (gettext("Outputs"), self.spec.outputs),
                )
            ],
            drawings=[
                draw(function.name, self.spec.inputs, self.spec.outputs, measures)
                for measures in (WIDE, NARROW)
            ],
            steps=steps_bar(FunctionStep, steps_of(function.pk)),
            task_count=task_count,
            tasks=tasks,
            **kwargs,
        )


def failure_of(report: Any, request: HttpRequest, log_keeper: str) -> dict[str, Any]:
    """Return what a page shows of a failure report: its logs if the user may read them."""
    if report is None:
        return {}
    user: Any = request.user
    return {
        "report": report,
        "may_read_logs": may_download(user, report.permissions),
        "logs_end": shown_end(request, report.permissions, report, "logs"),
        "logs_are_cut": report.logs_size > MAX_END,
        "logs_readers": report.permissions,
        "log_keeper": log_keeper,
    }


# --- What is in the archive ----------------------------------------------------------------------


def archive_preview(function: Function, name: str) -> ArchivePreview:
    """Return what is seen of the function's archive, and of one file in it."""
    try:
        with default_storage.open(str(function.archive.name)) as file:
            return preview_archive(file, name, MAX_SHOWN)
    except OSError:
        return ArchivePreview()


def files_context(request: HttpRequest, function: Function, name: str) -> dict[str, Any]:
    """Return what the templates need to list the files and to show the one of this name."""
    seen = archive_preview(function, name)
    shown = seen.find(name)
    files = sorted(
        seen.files, key=lambda file: (file.name != DOCKERFILE, "/" in file.name, file.name)
    )
    text = None if seen.content is None else decoded(seen.content)
    if seen.files:
        # The names of the files are contents of the archive, too.
        which = {} if text is None else {"name": name[:NAME_LENGTH]}
        record_view(request, function, file="archive", **which)
    return {
        "files": [(file, file_url(function, file.name)) for file in files],
        "has_all_files": seen.is_all,
        "file": shown,
        "file_text": text,
        "no_preview_reason": no_preview_reason(shown, text) if shown else "",
    }


def file_url(function: Function, name: str) -> str:
    """Return the address of a file's page; blank for a name that no URL can have."""
    try:
        return reverse("function-file", args=[function.pk, name])
    except NoReverseMatch:
        return ""


def no_preview_reason(file: Entry, text: str | None) -> str:
    """Return why a file cannot be shown, and what to do; blank if it can."""
    if text is not None:
        return "" if text.strip() else gettext("This file is empty.")
    if file.size > MAX_SHOWN:
        return gettext("This file is too large to show. Download the archive to read it.")
    if file.packed_by:
        message = gettext(
            "This file is compressed with %(method)s. Download the archive to read it."
        )
        return message % {"method": file.packed_by}
    return gettext("This file is not text. Download the archive to open it.")


class FunctionFilePage(FunctionPageMixin, AssetPageMixin, Page):
    """One file of the archive, for users who may download it."""

    template_name = "functions/file.html"

    def get_title(self) -> str:
        return self.kwargs["name"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        function, name = self.object, kwargs["name"]
        context = {"asset": function}
        why_not = why_not_download(self.user, function.permissions, function.owner_id)
        if why_not:
            context["why_not"] = why_not
            return self.render_to_response(self.get_context_data(**context), status=403)
        context |= files_context(request, function, name)
        if context["file"] is None and context["has_all_files"]:
            message = gettext('The archive of %(function)s has no file "%(name)s".')
            raise Http404(message % {"function": function, "name": name})
        return self.render_to_response(self.get_context_data(**context))


# --- Registering ---------------------------------------------------------------------------------


class FunctionRenamePage(FunctionPageMixin, RenamePage):
    pass


class FunctionRegisterPage(FunctionPageMixin, RegisterPage):
    template_name = "functions/form.html"
    form_class = FunctionForm
    note = _(
        "A function is code that tasks run, in the image that its Dockerfile builds. "
        "Fields with an asterisk are required."
    )

    def initial(self) -> dict[str, Any]:
        return values_of(spec_of(self.like)) if self.like else {}

    def snippets(self, form: FunctionForm) -> Snippets:
        return function_snippets(form.spec, self.request)


class FunctionUpload(UploadView):
    check = staticmethod(check_function_file)
    advise = staticmethod(archive_advice)
