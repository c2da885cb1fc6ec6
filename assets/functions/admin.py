"""The admin of functions."""

from django.contrib import admin

from ..common.admin.base import ReadOnlyInline, RegistrationInline
from ..permissions.admin import AssetAdmin, stored_file
from .forms import (
    FunctionForm,
    FunctionInputForm,
    FunctionOutputForm,
    FunctionRenameForm,
)
from .models import Function, FunctionInput, FunctionOutput


class NewInputInline(RegistrationInline):
    model = FunctionInput
    row_form = FunctionInputForm
    verbose_name, verbose_name_plural = "input", "inputs"


class NewOutputInline(RegistrationInline):
    model = FunctionOutput
    row_form = FunctionOutputForm
    verbose_name, verbose_name_plural = "output", "outputs"


class InputInline(ReadOnlyInline):
    model = FunctionInput
    fields = ("identifier", "kind", "multiple", "optional")
    verbose_name_plural = "inputs"


class OutputInline(ReadOnlyInline):
    model = FunctionOutput
    fields = ("identifier", "kind", "multiple")
    verbose_name_plural = "outputs"


@admin.register(Function)
class FunctionAdmin(AssetAdmin):
    add_form = FunctionForm
    change_form = FunctionRenameForm
    add_inlines = (NewInputInline, NewOutputInline)
    inlines = (InputInline, OutputInline)
    list_display = ("name", "owned_by", "status_badge", "permissions_badge", "registered_at")
    list_filter = ("owner", "status", "permissions__public", "creation_date")
    search_fields = ("name", "key", "=archive_checksum", "=description_checksum")
    search_help_text = "Name, key, or the checksum of a file."
    add_fieldsets = (
        (None, {"fields": ("name", "file", "description", "metadata")}),
        (
            "Who may use it",
            {
                "fields": ("permissions",),
                "description": "Names, inputs and outputs are seen by the whole consortium. "
                "Permissions are about running the function and downloading its "
                "files; they cannot be changed later.",
            },
        ),
        (
            "What it takes and makes",
            {
                "fields": ("on_dataset",),
                "description": "A function that reads data takes a dataset (its opener) and data "
                "samples: both or neither, the dataset once. A model is a file that one task "
                "makes and others take. A performance is one number that everybody sees. "
                "Rows that stay blank do not count.",
            },
        ),
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "key",
                    "owner",
                    "creation_date",
                    "status_badge",
                    "metadata_lines",
                )
            },
        ),
        ("Who may use it", {"fields": ("permissions_badge",)}),
        ("Files", {"fields": ("archive_file", "description_file")}),
    )

    archive_file = stored_file("archive", "api:function-file")
    description_file = stored_file("description", "api:function-description")
