"""What pages ask about events."""

from uuid import UUID

from django.db.models import QuerySet

from ..common.kinds import AssetKind
from .models import Event

RECENT = 12

# What is news, and of it what is important: that plans came to an end.
NEWS_KINDS = (AssetKind.COMPUTE_PLAN, AssetKind.DATA_MANAGER)
NEWS = (Event.Action.REGISTERED, Event.Action.STARTED, Event.Action.ENDED)
IMPORTANT = Event.Action.ENDED


def news_of(events: QuerySet[Event]) -> QuerySet[Event]:
    """Keep what happened to compute plans and datasets, but for their names."""
    return events.filter(asset_kind__in=NEWS_KINDS, action__in=NEWS)


def important_of(news: QuerySet[Event]) -> QuerySet[Event]:
    """Keep the news that nobody should miss."""
    return news.filter(action=IMPORTANT)


def events_of(key: UUID) -> QuerySet[Event]:
    """What happened to one asset, the newest first."""
    return Event.objects.filter(asset_key=key)


def recent_events() -> QuerySet[Event]:
    """What happened lately, to whichever asset."""
    return Event.objects.all()[:RECENT]
