"""What the admin pages of assets share, and the admin of Permissions."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.forms import Form
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ..common.admin.base import ChangePage, RegistryAdmin
from ..common.admin.display import badge, column
from ..common.text.moments import moment
from .access import check_may_change, check_may_register, may_change, may_download, may_register
from .models import Permissions

OWNER_CHANGES = _("only its owner %(owner)s may change this; you act for %(own)s.")
NOT_PERMITTED = _("Your organisation may not download this file")


def show_permissions(permissions: Permissions) -> SafeString:
    """Return who has the permission: everyone, or the named organisations."""
    if permissions.public:
        return badge(gettext("public"), "is-public")
    names = ", ".join(permissions.authorized_ids)
    return format_html("{} {}", badge(gettext("restricted"), "is-restricted"), names)


class AssetAdmin(RegistryAdmin):
    """The admin of one kind of asset; `access` decides who may register and change it."""

    date_hierarchy = "creation_date"
    ordering = ("-creation_date", "key")
    list_select_related: ClassVar[Any] = ("permissions",)

    def has_add_permission(self, request) -> bool:
        return self.add_form is not None and may_register(request.user)

    def may_change(self, request, row: Any) -> bool:
        return may_change(request.user, row)

    def why_not(self, request, row: Any = None) -> str:
        user = request.user
        if row is not None:
            problems = check_may_change(user, row, OWNER_CHANGES)
        else:
            problems = check_may_register(user) if self.add_form else iter(())
        return " ".join(problem.sentence for problem in problems)

    owned_by = column(_("owner"), "owner_id", ordering="owner")
    registered_at = column(_("registered"), "creation_date", ordering="creation_date", show=moment)
    permissions_badge = column(
        _("permissions"), "permissions", ordering="permissions__public", show=show_permissions
    )
    logs_badge = column(_("logs permission"), "logs_permission", show=show_permissions)

    @admin.display(description=_("key"), ordering="key")
    def short_key(self, asset: Any) -> str:
        """Return enough of the key to identify the row."""
        return str(asset.key)[:8]

    @admin.display(description=_("status"), ordering="status")
    def status_badge(self, asset: Any) -> SafeString:
        word = asset.status.rpartition("STATUS_")[2].lower()
        return badge(asset.get_status_display(), f"is-{word}")

    @admin.display(description=_("metadata"))
    def metadata_lines(self, asset: Any) -> SafeString | str:
        """Return the metadata, one entry per line."""
        entries = sorted(asset.metadata.items())
        return format_html_join(SafeString("<br>"), "{}: {}", entries) if entries else "-"


def rename_page(form_class: type[Form]) -> ChangePage:
    """Return the page that renames an asset by such a form."""
    return ChangePage(_("Rename"), form_class, done=_("Renamed to “%(row)s”."))


def stored_file(
    name: str,
    url_name: str,
    description: Any,
    may: Callable[[Any, Permissions], bool] = may_download,
) -> Callable[[AssetAdmin, Any], SafeString]:
    """Return a display method for the file column `name`: its size, checksum and address.

    Args:
        may: may this user download a file with these permissions?
    """

    @admin.display(description=description)
    def show(self: AssetAdmin, asset: Any) -> SafeString:
        if not getattr(asset, name):
            return conditional_escape(gettext("removed"))
        return show_file(
            reverse(url_name, kwargs={"key": asset.key}),
            getattr(asset, f"{name}_size"),
            getattr(asset, f"{name}_checksum"),
            allowed=may(asset.viewer, asset.permissions),
        )

    return show


def show_file(url: str, size: int, checksum: str, *, allowed: bool) -> SafeString:
    """Return the size and checksum of a stored file, and a link if the user may download it."""
    link = format_html('<a href="{}" download>{}</a>', url, gettext("Download"))
    parts = [
        link if allowed else NOT_PERMITTED,
        filesizeformat(size),
        format_html("sha256 <code>{}</code>", checksum),
    ]
    return format_html_join(" · ", "{}", ((part,) for part in parts))


@admin.register(Permissions)
class PermissionsAdmin(RegistryAdmin):
    """The distinct permissions of all assets."""

    list_display = ("__str__", "public", "organization_count")
    list_filter = ("public", "organizations")
    search_fields = ("organizations__id", "organizations__name")
    ordering = ("-public", "pk")
    fields = ("public", "authorized_ids", "digest")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("organizations")

    @admin.display(description=_("organisations"))
    def organization_count(self, permissions: Permissions) -> str | int:
        return gettext("all") if permissions.public else len(permissions.authorized_ids)
