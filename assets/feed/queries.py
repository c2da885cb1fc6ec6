"""What pages ask about events."""

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import BooleanField, Case, F, GenericIPAddressField, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from ..accounts.models import User
from ..accounts.rules import EXTERNAL, manages_all
from ..common.db.models import Asset
from ..permissions.access import may_audit, may_audit_asset
from .models import NEWS_ACTIONS, NEWS_KINDS, Event

RECENT = 12
# Enough to see past a plan of some hundred tasks.
LOOKED_AT = 300

# Of what is news: that plans came to an end.
IMPORTANT = Event.Action.ENDED


def with_visible_actor(events: QuerySet[Event], user: User) -> QuerySet[Event]:
    """Annotate events with `visible_actor`: the user's name, or "external" for other organisations.

    Searches and orders use it, so that they reveal no more than pages show.
    """
    if manages_all(user):
        return events.annotate(visible_actor=F("actor_name"))
    known = Q(organization_id=user.organization_id) | Q(actor_name="")
    return events.annotate(
        visible_actor=Case(When(known, then=F("actor_name")), default=Value(EXTERNAL))
    )


def with_visible_address(events: QuerySet[Event], user: User) -> QuerySet[Event]:
    """Annotate events with `visible_address`: the client's address, for who may audit the event."""
    if manages_all(user):
        return events.annotate(visible_address=F("address"))
    address = GenericIPAddressField()
    if not may_audit(user):
        return events.annotate(visible_address=Value(None, address))
    known = When(_is_in_trail_of(user), then=F("address"))
    return events.annotate(visible_address=Case(known, output_field=address))


def by_actor(events: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Keep what the user of this name did, as far as `visible_actor` shows it."""
    if name != EXTERNAL:
        # By an index, which knows accounts; of those that are deleted, events have the name only.
        known = User.objects.filter(username=name).values_list("pk", flat=True)
        events = events.filter(Q(actor__in=list(known)) | Q(actor=None, actor_name=name))
    return events.filter(visible_actor=name)


def public_events() -> QuerySet[Event]:
    """What happened to assets, which all organisations may know."""
    return Event.objects.filter(public=True)


def events_for(user: User) -> QuerySet[Event]:
    """The audit trail as far as this user may read it: all of it, or its organisation's."""
    return with_visible_actor(Event.objects.filter(_is_in_trail_of(user)), user)


def may_be_read(user: User) -> Q:
    """The condition of events that this user may read: what is public, and its trail."""
    return Q() if manages_all(user) else Q(public=True) | _is_in_trail_of(user)


def _is_in_trail_of(user: User) -> Q:
    if manages_all(user):
        return Q()
    return Q(organization_id=user.organization_id) if may_audit(user) else Q(pk__in=[])


def news_of(events: QuerySet[Event]) -> QuerySet[Event]:
    """Keep what happened to compute plans and datasets, but for their names."""
    return events.filter(_is_news())


def _is_news() -> RawSQL:
    """The condition of the index of news, word for word: databases use it for no other."""
    table = Event._meta.db_table
    # All of them are plain words.
    actions, kinds = ("', '".join(values) for values in (NEWS_ACTIONS, NEWS_KINDS))
    sql = f"\"{table}\".action IN ('{actions}') AND \"{table}\".asset_kind IN ('{kinds}')"
    return RawSQL(sql, (), BooleanField())  # noqa: S611


def important_of(news: QuerySet[Event]) -> QuerySet[Event]:
    """Keep the news that nobody should miss."""
    return news.filter(action=IMPORTANT)


def events_of(asset: Asset, user: User) -> QuerySet[Event]:
    """What happened to one asset, the newest first; its owner's admins see who downloaded it."""
    events = Event.objects.filter(asset_key=asset.pk)
    if may_audit_asset(user, asset):
        return events.annotate(visible_actor=F("actor_name"))
    return with_visible_actor(events.filter(public=True), user)


def without_ends_of_cancelled(events: Iterable[Event]) -> list[Event]:
    """Return the events without the end of a plan where one of them is its cancellation."""
    found = list(events)
    cancelled = {
        (event.asset_key, event.timestamp)
        for event in found
        if event.action == Event.Action.CANCELED
    }
    return [
        event
        for event in found
        if event.action != Event.Action.ENDED or (event.asset_key, event.timestamp) not in cancelled
    ]


def recent_events(user: User) -> list[Event]:
    """Return what happened lately, as it is told to a user, the newest first; two queries.

    What one request did to many assets is one thing that happened: its first event stands for all,
    and `together` says how many they were, as far as was looked.
    """
    # Of most events no more is asked than which request they are of.
    looked_at = public_events().values_list("pk", *_OF_A_REQUEST)[:LOOKED_AT]
    requests = [list(events) for _, events in groupby(looked_at, key=itemgetter(slice(1, None)))]
    together = {events[0][0]: len(events) for events in requests[:RECENT]}
    found = with_visible_actor(Event.objects.all(), user).in_bulk(together)
    for pk, count in together.items():
        found[pk].together = count  # type: ignore[attr-defined]
    return without_ends_of_cancelled(found[pk] for pk in together)


# What the events of one request have in common.
_OF_A_REQUEST = ("timestamp", "actor_name", "action", "asset_kind")
