"""The admin of the results of tasks: models, performances, failure reports."""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from ..common.admin.base import RegistryAdmin
from ..common.admin.display import column, section
from ..permissions.access import may_download, may_download_model
from ..permissions.admin import NOT_PERMITTED, AssetAdmin, show_file, stored_file
from .models import FailureReport, Model, Performance


@admin.register(Model)
class ModelAdmin(AssetAdmin):
    list_display = ("key", "owned_by", "output", "permissions_badge", "registered_at")
    list_filter = ("owner", "permissions__public", "creation_date")
    list_select_related = ("permissions", "output")
    search_fields = ("key", "task__key", "=file_checksum")
    search_help_text = _("Search by key, key of the task, or the checksum of the file.")
    fieldsets = (
        section(None, "key", "owner", "creation_date", "task", "output"),
        section(_("Permissions"), "permissions_badge"),
        section(_("File"), "model_file"),
    )

    model_file = stored_file("file", "api:model-file", _("model"), may_download_model)


@admin.register(Performance)
class PerformanceAdmin(RegistryAdmin):
    list_display = ("output", "value", "task", "creation_date")
    list_filter = ("creation_date",)
    list_select_related = ("output",)
    search_fields = ("output__identifier", "output__task__key", "output__task__compute_plan__key")
    search_help_text = _("Search by output, or by the key of a task or compute plan.")
    date_hierarchy = "creation_date"
    ordering = ("-creation_date", "-pk")
    fields = ("output", "value", "task", "creation_date")

    task = column(_("task"), "output.task_id")


@admin.register(FailureReport)
class FailureReportAdmin(RegistryAdmin):
    list_display = ("key", "error_type", "task_key", "function_key", "creation_date")
    list_filter = ("error_type", "creation_date")
    search_fields = ("key", "task__key", "function__key", "function__name")
    search_help_text = _("Search by key of the report, the task or the function.")
    date_hierarchy = "creation_date"
    ordering = ("-creation_date", "key")
    fields = ("key", "error_type", "task", "function", "creation_date", "logs_file")

    task_key = column(_("task"), "task_id")
    function_key = column(_("function"), "function_id")

    @admin.display(description=_("logs"))
    def logs_file(self, report: Any) -> Any:
        if not report.logs:
            return "-"
        permissions = (
            report.function.permissions if report.function else report.task.logs_permission
        )
        if not may_download(report.viewer, permissions):
            # The size and the checksum of a log are not public either.
            return NOT_PERMITTED
        url = reverse("api:logs-file", kwargs={"key": report.function_id or report.task_id})
        return show_file(url, report.logs_size, report.logs_checksum, allowed=True)
