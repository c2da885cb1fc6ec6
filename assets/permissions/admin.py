"""The admin of registered assets, whose permission methods ask `access`; and of Permissions."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.forms import Form
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy

from ..common.admin.base import ChangePage, RegistryAdmin, badge
from ..common.text.moments import moment
from .access import check_may_change, check_may_register, may_change, may_download, may_register
from .models import Permissions

NOT_PERMITTED = "Not permitted to your organisation"


class AssetAdmin(RegistryAdmin):
    """Registers one kind of asset and changes what may change of it; `access` says who may."""

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
            problems = check_may_change(user, row, "change this")
        else:
            problems = check_may_register(user) if self.add_form else iter(())
        return " ".join(problem.sentence for problem in problems)

    def get_object(self, request, object_id, from_field=None):
        asset = super().get_object(request, object_id, from_field)
        if asset is not None:
            # Fields that show a file ask whether this user may have it.
            asset.viewer = request.user
        return asset

    @admin.display(description="key", ordering="key")
    def short_key(self, asset: Any) -> str:
        """Show enough of the key to tell rows apart."""
        return str(asset.key)[:8]

    @admin.display(description="owner", ordering="owner")
    def owned_by(self, asset: Any) -> str:
        return asset.owner_id

    @admin.display(description="registered", ordering="creation_date")
    def registered_at(self, asset: Any) -> SafeString:
        return moment(asset.creation_date)

    @admin.display(description="permissions", ordering="permissions__public")
    def permissions_badge(self, asset: Any) -> SafeString:
        return show_permissions(asset.permissions)

    @admin.display(description="status", ordering="status")
    def status_badge(self, asset: Any) -> SafeString:
        label = asset.get_status_display()
        return badge(label, f"is-{label.replace(' ', '-')}")

    @admin.display(description="metadata")
    def metadata_lines(self, asset: Any) -> SafeString | str:
        """Show metadata one entry a line."""
        entries = sorted(asset.metadata.items())
        return format_html_join(SafeString("<br>"), "{}: {}", entries) if entries else "-"


def rename_page(form_class: type[Form]) -> ChangePage:
    """Return the page that renames an asset by such a form."""
    return ChangePage(
        gettext_lazy("Rename"), form_class, done=gettext_lazy("Renamed to “%(row)s”.")
    )


def show_permissions(permissions: Permissions) -> SafeString:
    """Show who may: everybody, or these organisations."""
    if permissions.public:
        return badge("public", "is-public")
    names = ", ".join(permissions.authorized_ids)
    return format_html("{} {}", badge("private", "is-private"), names)


def stored_file(
    name: str,
    url_name: str,
    description: str = "",
    may: Callable[[Any, Permissions], bool] = may_download,
) -> Callable[[AssetAdmin, Any], SafeString]:
    """Return a field that shows the file column `name`: size, checksum, and a link to who `may`."""

    @admin.display(description=description or name)
    def show(self: AssetAdmin, asset: Any) -> SafeString:
        if not getattr(asset, name):
            return format_html("{}", "removed")
        return show_file(
            reverse(url_name, kwargs={"key": asset.key}),
            getattr(asset, f"{name}_size"),
            getattr(asset, f"{name}_checksum"),
            allowed=may(asset.viewer, asset.permissions),
        )

    return show


def show_file(url: str, size: int, checksum: str, *, allowed: bool) -> SafeString:
    """Show a stored file, with a link for those who may download it."""
    link = format_html('<a href="{}" download>Download</a>', url) if allowed else NOT_PERMITTED
    parts = [link, filesizeformat(size), format_html("sha256 <code>{}</code>", checksum)]
    return format_html_join(" · ", "{}", ((part,) for part in parts))


@admin.register(Permissions)
class PermissionsAdmin(RegistryAdmin):
    """Every distinct permission that some asset has."""

    list_display = ("__str__", "public", "organization_count")
    list_filter = ("public", "organizations")
    search_fields = ("organizations__id", "organizations__name")
    ordering = ("-public", "pk")
    fields = ("public", "authorized_ids", "digest")

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("organizations")

    @admin.display(description="organisations")
    def organization_count(self, permissions: Permissions) -> str | int:
        return "all" if permissions.public else len(permissions.authorized_ids)
