"""The admin of functions."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ..common.admin.base import ReadOnlyInline
from ..common.admin.display import section
from ..feed.forms import RenameForm
from ..permissions.admin import AssetAdmin, rename_page, stored_file
from .forms import FunctionForm
from .models import Function, FunctionInput, FunctionOutput


class InputInline(ReadOnlyInline):
    model = FunctionInput
    fields = ("identifier", "kind", "multiple", "optional")


class OutputInline(ReadOnlyInline):
    model = FunctionOutput
    fields = ("identifier", "kind", "multiple")


@admin.register(Function)
class FunctionAdmin(AssetAdmin):
    add_form = FunctionForm
    change_pages = {"rename": rename_page(RenameForm)}
    inlines = (InputInline, OutputInline)
    list_display = ("name", "owned_by", "status_badge", "permissions_badge", "registered_at")
    list_filter = ("owner", "status", "permissions__public", "creation_date")
    search_fields = ("name", "key", "=archive_checksum", "=description_checksum")
    search_help_text = _("Search by name, key, or the checksum of a file.")
    fieldsets = (
        section(None, "name", "key", "owner", "creation_date", "status_badge", "metadata_lines"),
        section(_("Permissions"), "permissions_badge"),
        section(_("Files"), "archive_file", "description_file"),
    )

    archive_file = stored_file("archive", "api:function-file", _("archive"))
    description_file = stored_file("description", "api:function-description", _("description"))
