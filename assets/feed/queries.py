"""What pages ask about events."""

from uuid import UUID

from django.db.models import QuerySet

from .models import Event

RECENT = 12


def events_of(key: UUID) -> QuerySet[Event]:
    """What happened to one asset, the newest first."""
    return Event.objects.filter(asset_key=key)


def recent_events() -> QuerySet[Event]:
    """What happened lately, to whichever asset."""
    return Event.objects.all()[:RECENT]
