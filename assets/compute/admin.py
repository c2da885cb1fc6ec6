"""The admin of compute plans and tasks."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.http import JsonResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, gettext_lazy as _, ngettext

from ..common.admin.base import ChangePage, ReadOnlyInline
from ..common.admin.display import change_url, column, section
from ..common.admin.pickers import KeySelect, set_widget
from ..common.errors import Problem
from ..common.forms.fields import asset_label
from ..common.forms.layouts import FormsetLayout, Section
from ..common.forms.spec_form import SpecForm
from ..datasets.models import DataSample, Dataset
from ..feed.forms import RenameForm
from ..permissions.admin import AssetAdmin, rename_page, show_permissions
from .forms import TaskForm, TaskInputForm, TaskOutputForm
from .models import ComputePlan, Model, Task, TaskInput, TaskOutput
from .plan_editor.forms import ComputePlanForm, PlanTasksForm
from .queries.lists import creator_of
from .registration import cancel_compute_plan, check_cancel
from .statuses import TERMINATED, TaskStatus

# The kinds of what may feed an input, and how many rows of each kind to offer.
FEEDING = (Dataset, DataSample, Model)
OFFERED = 10
# How many data samples of a list the page of a task shows.
SHOWN_SAMPLES = 10


def _is_open(plan: ComputePlan) -> bool:
    return plan.status not in TERMINATED


def _link(row: Any) -> str:
    return format_html('<a href="{}">{}</a>', change_url(row), asset_label(row))


class CancelForm(SpecForm):
    """Cancels the compute plan `asset`; there is nothing to fill in."""

    def make_spec(self, values: dict[str, Any]) -> None:
        return None

    def check(self) -> Iterable[Problem]:
        return check_cancel(self.asset, self.actor)

    def save(self) -> ComputePlan:
        return cancel_compute_plan(self.asset.key, self.actor)


class AdminTaskInputForm(TaskInputForm):
    """What feeds one input of a task, picked by its name."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = TaskInput._meta.get_field
        url = reverse("admin:assets_task_assets")
        assets = KeySelect(field("dataset"), admin.site, models=FEEDING, url=url)
        set_widget(self.fields["asset_key"], assets)
        parents = KeySelect(field("parent_task"), admin.site, models=(Task,))
        set_widget(self.fields["parent_task_key"], parents)


class AdminTaskForm(TaskForm):
    """Registers one task."""

    row_forms = {"inputs": AdminTaskInputForm, "outputs": TaskOutputForm}
    sections = (
        Section("", "function", "compute_plan", "worker", "tag", "metadata", "key"),
        Section(_("Inputs"), FormsetLayout("inputs")),
        Section(_("Outputs"), FormsetLayout("outputs")),
    )


@admin.register(ComputePlan)
class ComputePlanAdmin(AssetAdmin):
    add_form = ComputePlanForm
    change_pages = {
        "rename": rename_page(RenameForm),
        "tasks": ChangePage(
            _("Add tasks"),
            PlanTasksForm,
            done=_("The tasks were added."),
            button=_("Add tasks"),
            is_offered=_is_open,
        ),
        "cancel": ChangePage(
            _("Cancel this compute plan"),
            CancelForm,
            done=_("“%(row)s” was cancelled."),
            button=_("Yes, cancel the plan"),
            note=_(
                "Tasks of this plan that are not finished are cancelled with it. Finished tasks "
                "stay. You cannot add tasks to a cancelled plan, and you cannot undo this."
            ),
            is_offered=_is_open,
        ),
    }
    list_display = ("name", "owned_by", "status_badge", "task_count", "tag", "registered_at")
    list_filter = ("owner", "status", "creation_date")
    list_select_related = False
    search_fields = ("name", "key", "tag")
    search_help_text = _("Search by name, key or tag.")
    fieldsets = (
        section(
            None,
            "name",
            "key",
            "owner",
            "visible_creator",
            "creation_date",
            "tag",
            "metadata_lines",
        ),
        section(
            _("Progress"), "status_badge", "tasks", "start_date", "end_date", "cancelation_date"
        ),
    )

    @admin.display(description=_("creator"))
    def visible_creator(self, plan: Any) -> str:
        return creator_of(plan, plan.viewer.organization_id)

    @admin.display(description=_("tasks"))
    def tasks(self, plan: ComputePlan) -> str:
        url = reverse("admin:assets_task_changelist")
        counts = ", ".join(
            f"{count:,} {TaskStatus(status).label}"
            for status, count in plan.counts.items()
            if count
        )
        return format_html(
            '<a href="{}?compute_plan={}">{}</a>{}',
            url,
            plan.key,
            ngettext("%(count)d task", "%(count)d tasks", plan.task_count)
            % {"count": plan.task_count},
            f": {counts}" if counts else "",
        )


class InputInline(ReadOnlyInline):
    model = TaskInput
    fk_name = "task"
    fields = ("identifier", "source")
    readonly_fields = ("source",)
    select_related = ("dataset", "sample_set", "model", "parent_task__function")

    @admin.display(description=_("source"))
    def source(self, row: TaskInput) -> str:
        if row.parent_task:
            output, parent = row.parent_output_identifier, _link(row.parent_task)
            return format_html(gettext("{task}, output {output}"), task=parent, output=output)
        if row.sample_set is None:
            return _link(row.dataset or row.model)
        keys, more = row.sample_set.keys[:SHOWN_SAMPLES], row.sample_set.count - SHOWN_SAMPLES
        names = format_html_join(", ", "{}", ((_link(DataSample(pk=key)),) for key in keys))
        if more <= 0:
            return names
        return format_html(gettext("{names} and {count} more"), names=names, count=f"{more:,}")


class OutputInline(ReadOnlyInline):
    model = TaskOutput
    fields = ("identifier", "permissions_badge", "transient")
    readonly_fields = ("permissions_badge",)
    select_related = ("permissions",)

    permissions_badge = column(_("permissions"), "permissions", show=show_permissions)


@admin.register(Task)
class TaskAdmin(AssetAdmin):
    add_form = AdminTaskForm
    inlines = (InputInline, OutputInline)
    autocomplete_fields = ("function", "compute_plan", "worker")
    list_display = (
        "short_key",
        "function_name",
        "plan_name",
        "status_badge",
        "rank",
        "run_by",
        "owned_by",
        "registered_at",
    )
    list_filter = ("status", "owner", "worker", "creation_date")
    link_filters = ("compute_plan",)
    search_fields = ("key", "tag", "function__name", "compute_plan__name", "compute_plan__key")
    search_help_text = _(
        "Search by key, tag, name of the function, or name or key of the compute plan."
    )
    add_note = _(
        "A task runs a function once. Feed every input of the function that is not optional, and "
        "set the permissions of every output."
    )
    fieldsets = (
        section(
            None,
            "key",
            "function",
            "compute_plan",
            "owner",
            "worker",
            "rank",
            "tag",
            "metadata_lines",
            "creation_date",
        ),
        section(_("Progress"), "status_badge", "start_date", "end_date", "error_type"),
        section(_("Permissions"), "logs_badge"),
    )

    function_name = column(_("function"), "function.name", ordering="function__name_order")
    plan_name = column(_("compute plan"), "compute_plan.name", ordering="compute_plan__name_order")
    run_by = column(_("worker"), "worker_id", ordering="worker")

    def get_queryset(self, request):
        related = ("function", "compute_plan", "worker", "owner", "logs_permission")
        return super().get_queryset(request).select_related(*related)

    def autocomplete_label(self, obj: Task) -> str:
        parts = [obj.function.name, gettext("rank %(rank)d") % {"rank": obj.rank}, obj.tag]
        return f"{', '.join(filter(None, parts))} ({str(obj.key)[:8]})"

    def get_urls(self):
        view = self.admin_site.admin_view(self.assets_view)
        return [path("assets/", view, name="assets_task_assets"), *super().get_urls()]

    def assets_view(self, request):
        """Return what may feed an input and matches what is typed: a few rows of each kind."""
        term = request.GET.get("term", "")
        results = []
        for model in FEEDING:
            model_admin = self.admin_site.get_model_admin(model)
            rows, _may_repeat = model_admin.get_search_results(
                request, model_admin.get_queryset(request), term
            )
            kind = model._meta.verbose_name
            results += [
                {"id": str(row.pk), "text": f"{kind} {asset_label(row)}"}
                for row in rows.distinct()[:OFFERED]
            ]
        return JsonResponse({"results": results, "pagination": {"more": False}})
