"""The admin of compute plans and tasks."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.forms import Widget
from django.http import Http404, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html

from ..common.admin.base import KeySelect, ReadOnlyInline, RegistrationInline, dress
from ..common.audit import note_refusals
from ..common.errors import Refused
from ..common.forms.fields import asset_label
from ..common.text.reading import counted
from ..datasets.models import DataSample, Dataset
from ..permissions.admin import AssetAdmin, show_permissions
from .forms import (
    ComputePlanForm,
    ComputePlanRenameForm,
    PlanTasksForm,
    TaskForm,
    TaskInputForm,
    TaskOutputForm,
)
from .models import ComputePlan, Model, Task, TaskInput, TaskOutput
from .queries.lists import creator_of
from .registration import cancel_compute_plan
from .statuses import TERMINATED, TaskStatus

# How many rows of each kind are offered to a task's input.
OFFERED = 10


def _change_url(row: Any) -> str:
    return reverse(f"admin:assets_{row._meta.model_name}_change", args=[row.pk])


def _link(row: Any) -> str:
    return format_html('<a href="{}">{}</a>', _change_url(row), asset_label(row))


@admin.register(ComputePlan)
class ComputePlanAdmin(AssetAdmin):
    add_form = ComputePlanForm
    change_form = ComputePlanRenameForm
    change_form_template = "admin/assets/computeplan/change_form.html"
    list_display = ("name", "owned_by", "status_badge", "task_count", "tag", "registered_at")
    list_filter = ("owner", "status", "creation_date")
    list_select_related = False
    search_fields = ("name", "key", "tag")
    search_help_text = "Name, key or tag."
    add_fieldsets = (
        (None, {"fields": ("name", "tag", "metadata")}),
        (
            "Tasks",
            {
                "fields": ("tasks",),
                "description": "Optional. Tasks can be added to the plan later.",
            },
        ),
        ("A key of your own", {"fields": ("key",), "classes": ("collapse",)}),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "key",
                    "owner",
                    "visible_creator",
                    "creation_date",
                    "tag",
                    "metadata_lines",
                )
            },
        ),
        (
            "Progress",
            {"fields": ("status_badge", "tasks", "start_date", "end_date", "cancelation_date")},
        ),
    )

    @admin.display(description="creator")
    def visible_creator(self, plan: Any) -> str:
        return creator_of(plan, plan.viewer.organization_id)

    @admin.display(description="tasks")
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
            counted(plan.task_count, "task"),
            f": {counts}" if counts else "",
        )

    # --- Cancelling and adding tasks --------------------------------------------------------------

    def get_urls(self):
        pages = (("cancel", self.cancel_view), ("tasks", self.tasks_view))
        return [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(view),
                name=f"assets_computeplan_{name}",
            )
            for name, view in pages
        ] + super().get_urls()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        context = {"terminated": TERMINATED, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def cancel_view(self, request, object_id):
        """Ask whether the plan is to be cancelled; cancel it when asked by POST."""
        plan = self._changeable(request, object_id)
        if request.method != "POST":
            return self._page(request, plan, "cancel", f"Cancel {plan}?")
        try:
            cancel_compute_plan(plan.key, request.user)
        except Refused as refused:
            note_refusals(refused.problems)
            self.message_user(request, refused.first.sentence, messages.ERROR)
        else:
            self.message_user(request, f"{plan} was cancelled.", messages.SUCCESS)
        return HttpResponseRedirect(_change_url(plan))

    def tasks_view(self, request, object_id):
        """Add tasks to the plan."""
        plan = self._changeable(request, object_id)
        form = PlanTasksForm(request.POST or None, actor=request.user, asset=plan)
        dress(form, {})
        if form.is_valid():
            try:
                form.save()
            except Refused as refused:
                form.add_error(None, refused.first.text)
            else:
                added = f"Added {counted(len(form.spec), 'task')}."
                self.message_user(request, added, messages.SUCCESS)
                return HttpResponseRedirect(_change_url(plan))
        note_refusals(form.problems)
        fieldsets: Any = [(None, {"fields": ("tasks",)})]
        adminform = AdminForm(form, fieldsets, {}, model_admin=self)  # type: ignore[arg-type]
        return self._page(
            request, plan, "tasks", "Add tasks", adminform=adminform, errors=form.errors
        )

    def _changeable(self, request, object_id: str) -> ComputePlan:
        plan = self.get_object(request, unquote(object_id))
        if plan is None:
            raise Http404(f'There is no compute plan with the key "{object_id}".')
        if not self.has_change_permission(request, plan):
            raise PermissionDenied(f"Only users of {plan.owner_id} who register assets may do it.")
        return plan

    def _page(self, request, plan: ComputePlan, name: str, title: str, **context: Any):
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": plan,
            "title": title,
            **context,
        }
        return TemplateResponse(request, f"admin/assets/computeplan/{name}.html", context)


class NewInputInline(RegistrationInline):
    model = TaskInput
    fk_name = "task"
    row_form = TaskInputForm
    verbose_name, verbose_name_plural = "input", "inputs"

    def row_widgets(self) -> dict[str, Widget]:
        field = TaskInput._meta.get_field
        models = (Dataset, DataSample, Model)
        url = reverse("admin:assets_task_assets")
        return {
            "asset_key": KeySelect(field("dataset"), self.admin_site, models=models, url=url),
            "parent_task_key": KeySelect(field("parent_task"), self.admin_site, models=(Task,)),
        }


class NewOutputInline(RegistrationInline):
    model = TaskOutput
    row_form = TaskOutputForm
    verbose_name, verbose_name_plural = "output", "outputs"


class InputInline(ReadOnlyInline):
    model = TaskInput
    fk_name = "task"
    fields = ("identifier", "source")
    readonly_fields = ("source",)
    verbose_name_plural = "inputs"

    def get_queryset(self, request):
        related = ("dataset", "data_sample", "model", "parent_task__function")
        return super().get_queryset(request).select_related(*related)

    @admin.display(description="fed by")
    def source(self, row: TaskInput) -> str:
        if row.parent_task:
            return format_html(
                "{}, output {}", _link(row.parent_task), row.parent_output_identifier
            )
        return _link(row.dataset or row.data_sample or row.model)


class OutputInline(ReadOnlyInline):
    model = TaskOutput
    fields = ("identifier", "permissions_badge", "transient")
    readonly_fields = ("permissions_badge",)
    verbose_name_plural = "outputs"

    @admin.display(description="permissions")
    def permissions_badge(self, row: TaskOutput) -> str:
        return show_permissions(row.permissions)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("permissions")


@admin.register(Task)
class TaskAdmin(AssetAdmin):
    add_form = TaskForm
    add_inlines = (NewInputInline, NewOutputInline)
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
    linked_by = ("compute_plan",)
    search_fields = ("key", "tag", "function__name", "compute_plan__name", "compute_plan__key")
    search_help_text = "Key or tag of the task; name of its function; name or key of its plan."
    add_fieldsets = (
        (
            None,
            {
                "fields": ("function", "compute_plan", "worker", "tag", "metadata"),
                "description": "One run of a function. Below, every input of the function that "
                "is not optional is fed, and every output is given its permissions.",
            },
        ),
        ("A key of your own", {"fields": ("key",), "classes": ("collapse",)}),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "key",
                    "function",
                    "compute_plan",
                    "owner",
                    "worker",
                    "rank",
                    "tag",
                    "metadata_lines",
                    "creation_date",
                )
            },
        ),
        ("Progress", {"fields": ("status_badge", "start_date", "end_date", "error_type")}),
        ("Who may read its logs", {"fields": ("logs_badge",)}),
    )

    def get_queryset(self, request):
        related = ("function", "compute_plan", "worker", "owner", "logs_permission")
        return super().get_queryset(request).select_related(*related)

    def autocomplete_label(self, obj: Task) -> str:
        tag = f", {obj.tag}" if obj.tag else ""
        return f"{obj.function}, rank {obj.rank}{tag} ({str(obj.key)[:8]})"

    @admin.display(description="function", ordering="function__name_order")
    def function_name(self, task: Task) -> str:
        return task.function.name

    @admin.display(description="compute plan", ordering="compute_plan__name_order")
    def plan_name(self, task: Task) -> str:
        return task.compute_plan.name

    @admin.display(description="worker", ordering="worker")
    def run_by(self, task: Task) -> str:
        return task.worker_id

    @admin.display(description="logs permission")
    def logs_badge(self, task: Task) -> str:
        return show_permissions(task.logs_permission)

    def get_urls(self):
        view = self.admin_site.admin_view(self.assets_view)
        return [path("assets/", view, name="assets_task_assets"), *super().get_urls()]

    def assets_view(self, request):
        """Answer what may feed an input and matches what is typed: a few rows of each kind."""
        term = request.GET.get("term", "")
        results = []
        for model in (Dataset, DataSample, Model):
            model_admin = self.admin_site.get_model_admin(model)
            rows, _ = model_admin.get_search_results(
                request, model_admin.get_queryset(request), term
            )
            kind = model._meta.verbose_name
            results += [
                {"id": str(row.pk), "text": f"{kind} {asset_label(row)}"}
                for row in rows.distinct()[:OFFERED]
            ]
        return JsonResponse({"results": results, "pagination": {"more": False}})
