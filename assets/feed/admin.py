"""The admin of events: the audit trail."""

from django.contrib import admin

from ..common.admin import RegistryAdmin
from .models import Event


@admin.register(Event)
class EventAdmin(RegistryAdmin):
    """Who did what to which asset, and when; the history of an asset is this list, filtered."""

    list_display = (
        "timestamp",
        "actor_name",
        "organization",
        "action",
        "asset_kind",
        "asset_name",
        "asset_key",
    )
    list_filter = ("action", "asset_kind", "organization", "timestamp")
    list_select_related = ("organization",)
    search_fields = ("actor_name", "asset_name", "asset_key")
    search_help_text = "User, name or key of an asset."
    date_hierarchy = "timestamp"
    ordering = ("-timestamp", "-pk")
    fields = (
        "timestamp",
        "actor_name",
        "organization",
        "action",
        "asset_kind",
        "asset_name",
        "asset_key",
        "detail",
    )
