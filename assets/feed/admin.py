"""The admin of events: the audit trail."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.safestring import SafeString

from ..common.admin.base import RegistryAdmin
from ..common.text.moments import moment
from .models import Event
from .queries import may_be_read, with_visible_actor, with_visible_address


@admin.register(Event)
class EventAdmin(RegistryAdmin):
    """Who did what to which asset, and when; the history of an asset is this list, filtered."""

    list_display = (
        "when",
        "user",
        "acted_for",
        "action",
        "result",
        "asset_kind",
        "asset",
        "visible_address",
    )
    list_filter = ("action", "result", "asset_kind", "organization", "timestamp")
    by_name = ("asset_name", "visible_actor")
    linked_by = ("asset_key", "asset_name")
    search_fields = ("visible_actor", "asset_name", "asset_key")
    search_help_text = "User, name or key of an asset."
    date_hierarchy = "timestamp"
    ordering = ("-timestamp", "-pk")
    fields = (
        "timestamp",
        "user",
        "organization",
        "visible_address",
        "action",
        "result",
        "asset_kind",
        "asset_name",
        "asset_key",
        "detail",
    )

    def get_queryset(self, request: Any) -> QuerySet[Event]:
        """What is public, and what its admins read of their organisation."""
        events: QuerySet[Event] = super().get_queryset(request)
        events = with_visible_actor(events.filter(may_be_read(request.user)), request.user)
        return with_visible_address(events, request.user)

    @admin.display(description="when", ordering="timestamp")
    def when(self, event: Event) -> SafeString:
        return moment(event.timestamp, exact=True)

    @admin.display(description="user", ordering="visible_actor")
    def user(self, event: Any) -> str:
        return event.visible_actor

    @admin.display(description="address", ordering="visible_address")
    def visible_address(self, event: Any) -> str:
        return event.visible_address or ""

    @admin.display(description="organisation", ordering="organization")
    def acted_for(self, event: Event) -> str:
        return event.organization_id or ""

    @admin.display(description="asset", ordering="asset_name")
    def asset(self, event: Event) -> str:
        """Name the asset; kinds without names by as much of the key as tells them apart."""
        return event.asset_name or str(event.asset_key or "")[:8]
