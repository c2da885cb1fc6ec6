"""Events as pages and other rooms read them."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import BooleanField, Case, F, GenericIPAddressField, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL

from ..accounts.models import User
from ..accounts.rules import EXTERNAL, manages_all
from ..common.db.compiled import Compiled, Instances
from ..common.db.models import Asset
from ..permissions.access import may_audit, may_audit_asset
from .models import NEWS_ACTIONS, NEWS_KINDS, Event

RECENT = 12
# Enough to look beyond a plan with hundreds of tasks.
LOOKED_AT = 300

# The important news: that plans ended.
IMPORTANT = Event.Action.ENDED


def with_visible_actor(events: QuerySet[Event], user: User) -> QuerySet[Event]:
    """Annotate events with `visible_actor`: the user's name, or "external" for other organisations.

    Searches and orders use it, so that they reveal no more than pages show.
    """
    return _with_actor(events, manages_all(user), user.organization_id)


def _with_actor(
    events: QuerySet[Event], sees_all: bool, organization_id: str | None
) -> QuerySet[Event]:
    if sees_all:
        return events.annotate(visible_actor=F("actor_name"))
    known = Q(organization_id=organization_id) | Q(actor_name="")
    return events.annotate(
        visible_actor=Case(When(known, then=F("actor_name")), default=Value(EXTERNAL))
    )


def with_visible_address(events: QuerySet[Event], user: User) -> QuerySet[Event]:
    """Annotate events with `visible_address`: the client's address, if the user may audit it."""
    if manages_all(user):
        return events.annotate(visible_address=F("address"))
    address = GenericIPAddressField()
    if not may_audit(user):
        return events.annotate(visible_address=Value(None, address))
    known = When(_is_in_trail_of(user), then=F("address"))
    return events.annotate(visible_address=Case(known, output_field=address))


def by_actor(events: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Filter events by the name that `visible_actor` shows."""
    if name != EXTERNAL:
        # The index has users' ids; events of deleted users have only the name.
        known = User.objects.filter(username=name).values_list("pk", flat=True)
        events = events.filter(Q(actor__in=list(known)) | Q(actor=None, actor_name=name))
    return events.filter(visible_actor=name)


def public_events() -> QuerySet[Event]:
    """Return the events of assets, which all organisations may see."""
    return Event.objects.filter(public=True)


def events_for(user: User) -> QuerySet[Event]:
    """Return the audit trail that the user may read: of its organisation, or all of it."""
    return with_visible_actor(Event.objects.filter(_is_in_trail_of(user)), user)


def may_be_read(user: User) -> Q:
    """Return the condition of events that the user may read: public ones, and its audit trail."""
    return Q() if manages_all(user) else Q(public=True) | _is_in_trail_of(user)


def _is_in_trail_of(user: User) -> Q:
    if manages_all(user):
        return Q()
    return Q(organization_id=user.organization_id) if may_audit(user) else Q(pk__in=[])


def news_of(events: QuerySet[Event]) -> QuerySet[Event]:
    """Filter the news: what happened to compute plans and datasets, except renames."""
    return events.filter(_is_news())


def _is_news() -> RawSQL:
    """Return the condition of the index of news, word for word, so that databases use the index."""
    table = Event._meta.db_table
    # Our own constants: no value of a user.
    actions, kinds = ("', '".join(values) for values in (NEWS_ACTIONS, NEWS_KINDS))
    sql = f"\"{table}\".action IN ('{actions}') AND \"{table}\".asset_kind IN ('{kinds}')"
    return RawSQL(sql, (), BooleanField())  # noqa: S611


def important_of(news: QuerySet[Event]) -> QuerySet[Event]:
    """Filter the important news."""
    return news.filter(action=IMPORTANT)


def events_of(asset: Asset, user: User) -> list[Event]:
    """Return the events of an asset, newest first, one more than `RECENT`; one query.

    Its owner's admins also see downloads.
    """
    seen_by = (True, None) if may_audit_asset(user, asset) else (False, user.organization_id)
    return _events_of(*seen_by)([asset.pk], RECENT + 1)


# A statement for each organisation whose users look.
@lru_cache(maxsize=100)
def _events_of(sees_all: bool, organization_id: str | None) -> Instances[Event]:
    def build(keys: Any) -> QuerySet[Event]:
        events = Event.objects.filter(asset_key__only=keys)
        shown = events if sees_all else events.filter(public=True)
        return _with_actor(shown, sees_all, organization_id)

    return Instances(build)


def reasons_of(asset: Asset) -> list[tuple[str, str]]:
    """Return why an asset was declined or ended: each organisation and its reason, once."""
    events = Event.objects.filter(asset_key=asset.pk, public=True, detail__has_key="reason")
    rows = events.order_by("timestamp", "pk").values_list("organization_id", "detail")
    return list(dict.fromkeys((organization, detail["reason"]) for organization, detail in rows))


def without_ends_of_cancelled(events: Iterable[Event]) -> list[Event]:
    """Return the events without the ends of plans whose cancellation is among them."""
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
    """Return the latest events that the user may see, newest first; two queries.

    The first event of a request stands for all of them; `together` is how many they are among the
    events looked at.
    """
    # Most events are read only to see which request they belong to.
    requests = [list(events) for _, events in groupby(_latest(), key=itemgetter(slice(1, None)))]
    together = {events[0][0]: len(events) for events in requests[:RECENT]}
    rows = _events_by_id(manages_all(user), user.organization_id)(together)
    found = {event.pk: event for event in rows}
    for pk, count in together.items():
        found[pk].together = count  # type: ignore[attr-defined]
    return without_ends_of_cancelled(found[pk] for pk in together)


# Equal for the events of one request.
_OF_A_REQUEST = ("timestamp", "actor_name", "action", "asset_kind")


@Compiled
def _latest(_values: Any) -> QuerySet:
    return public_events().values_list("pk", *_OF_A_REQUEST)[:LOOKED_AT]


@lru_cache(maxsize=100)
def _events_by_id(sees_all: bool, organization_id: str | None) -> Instances[Event]:
    def build(ids: Any) -> QuerySet[Event]:
        return _with_actor(Event.objects.filter(pk__any=ids), sees_all, organization_id)

    return Instances(build)
