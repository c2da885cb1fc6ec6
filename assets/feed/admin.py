"""The admin of events: the audit trail."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ..common.admin.base import RegistryAdmin
from ..common.admin.display import column
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
    name_columns = ("asset_name", "visible_actor")
    link_filters = ("asset_key", "asset_name")
    search_fields = ("visible_actor", "asset_name", "asset_key")
    search_help_text = _("Search by user, or by the name or key of an asset.")
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

    when = column(_("when"), "timestamp", ordering="timestamp", show=partial(moment, exact=True))
    user = column(_("user"), "visible_actor", ordering="visible_actor")
    visible_address = column(_("address"), "visible_address", ordering="visible_address")
    acted_for = column(_("organisation"), "organization_id", ordering="organization")

    def get_queryset(self, request: Any) -> QuerySet[Event]:
        """Return the public events, and to admins those of their organisation."""
        events: QuerySet[Event] = super().get_queryset(request)
        events = with_visible_actor(events.filter(may_be_read(request.user)), request.user)
        return with_visible_address(events, request.user)

    @admin.display(description=_("asset"), ordering="asset_name")
    def asset(self, event: Event) -> str:
        """Return the asset's name, or enough of its key to identify an asset without a name."""
        return event.asset_name or str(event.asset_key or "")[:8]
