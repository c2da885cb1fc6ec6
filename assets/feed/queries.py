"""What pages ask about events."""

from itertools import groupby
from operator import itemgetter

from django.db.models import Q, QuerySet

from ..common.kinds import AssetKind
from ..common.models import Asset
from ..organizations.models import User
from ..organizations.rules import manages_all
from ..permissions.access import may_audit, may_audit_asset
from .models import Event

RECENT = 12
# Enough to see past a plan of some hundred tasks.
LOOKED_AT = 300

# What is news, and of it what is important: that plans came to an end.
NEWS_KINDS = (AssetKind.COMPUTE_PLAN, AssetKind.DATA_MANAGER)
NEWS = (Event.Action.REGISTERED, Event.Action.STARTED, Event.Action.ENDED)
IMPORTANT = Event.Action.ENDED


def public_events() -> QuerySet[Event]:
    """What happened to assets, which all organisations may know."""
    return Event.objects.filter(public=True)


def events_for(user: User) -> QuerySet[Event]:
    """The audit trail as far as this user may read it: all of it, or its organisation's."""
    if manages_all(user):
        return Event.objects.all()
    if may_audit(user):
        return Event.objects.filter(organization_id=user.organization_id)
    return Event.objects.none()


def may_be_read(user: User) -> Q:
    """The condition of events that this user may read: what is public, and its trail."""
    if manages_all(user):
        return Q()
    own = Q(organization_id=user.organization_id) if may_audit(user) else Q(public=True)
    return Q(public=True) | own


def news_of(events: QuerySet[Event]) -> QuerySet[Event]:
    """Keep what happened to compute plans and datasets, but for their names."""
    return events.filter(asset_kind__in=NEWS_KINDS, action__in=NEWS)


def important_of(news: QuerySet[Event]) -> QuerySet[Event]:
    """Keep the news that nobody should miss."""
    return news.filter(action=IMPORTANT)


def events_of(asset: Asset, user: User) -> QuerySet[Event]:
    """What happened to one asset, the newest first; its owner's admins see who downloaded it."""
    events = Event.objects.filter(asset_key=asset.pk)
    return events if may_audit_asset(user, asset) else events.filter(public=True)


def recent_events() -> list[Event]:
    """Return what happened lately, the newest first; two queries.

    What one request did to many assets is one thing that happened: its first event stands for all,
    and `together` says how many they were, as far as was looked.
    """
    # Of most events no more is asked than which request they are of.
    looked_at = public_events().values_list("pk", *_OF_A_REQUEST)[:LOOKED_AT]
    requests = [list(events) for _, events in groupby(looked_at, key=itemgetter(slice(1, None)))]
    together = {events[0][0]: len(events) for events in requests[:RECENT]}
    found = Event.objects.in_bulk(together)
    for pk, count in together.items():
        found[pk].together = count  # type: ignore[attr-defined]
    return [found[pk] for pk in together]


# What the events of one request have in common.
_OF_A_REQUEST = ("timestamp", "actor_name", "action", "asset_kind")
