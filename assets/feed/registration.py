"""The only writer of events, and of the names of assets."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..accounts.models import User
from ..accounts.queries import locked
from ..common.audit import Action, Agent, Result, client_address
from ..common.db import bulk
from ..common.db.models import NamedAsset
from ..common.errors import Problem, refuse_if
from ..common.idempotency.keys import record_result
from ..common.kinds import AssetKind
from ..common.rules import check_name
from ..common.signals import recorded
from ..permissions.access import check_may_change
from .models import Event

# Who acts: a user, or a program of an organisation.
Actor = User | Agent
# A name that was typed to sign in may be longer than a user name.
NAME_LENGTH = Event._meta.get_field("asset_name").max_length
# Why others than the owner may not rename an asset of each kind that has names.
OWNER_RENAMES = {
    AssetKind.DATA_MANAGER: _(
        "only its owner %(owner)s may rename this dataset; you act for %(own)s."
    ),
    AssetKind.FUNCTION: _(
        "only its owner %(owner)s may rename this function; you act for %(own)s."
    ),
    AssetKind.COMPUTE_PLAN: _(
        "only its owner %(owner)s may rename this compute plan; you act for %(own)s."
    ),
}


def record(
    actor: Actor,
    action: str,
    kind: AssetKind,
    names: Mapping[UUID, str],
    *,
    when: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write an event for each asset, in one statement and in the transaction of the change.

    Args:
        names: the assets' names by key; blank for kinds without names.
    """
    record_result(action, kind, names)
    same = {
        "timestamp": when,
        "action": action,
        "result": Result.DONE,
        "public": True,
        "organization_id": actor.organization_id,
        "actor_id": actor.pk,
        "actor_name": actor.username,
        "address": client_address(),
        "asset_kind": kind,
        "detail": detail or {},
    }
    bulk.insert(
        Event, [{"asset_key": key, "asset_name": name} for key, name in names.items()], same=same
    )
    recorded.send(Event, kind=str(kind), action=str(action), count=len(names))


def record_private(
    action: Action,
    kind: str,
    *,
    key: UUID | None = None,
    name: str = "",
    actor: Actor | None = None,
    organization_id: str | None = None,
    result: Result = Result.DONE,
    detail: Mapping[str, Any] | None = None,
    once: timedelta | None = None,
) -> None:
    """Write an event that only admins read: a download, sign-in, change of a user or refusal.

    Args:
        once: an equal event that is not older than this stands for this one too.
    """
    record_result(action, kind, [key or name], result)
    event = Event(
        timestamp=timezone.now(),
        action=action,
        result=result,
        public=False,
        organization_id=organization_id or (actor.organization_id if actor else None),
        actor_id=actor.pk if actor else None,
        actor_name=actor.username if actor else "",
        address=client_address(),
        asset_kind=kind,
        asset_key=key,
        asset_name=name[:NAME_LENGTH],
        detail=detail or {},
    )
    if once is None or actor is None:
        event.save(force_insert=True)
    elif not _is_written(event, once):
        with transaction.atomic():
            # Requests for ranges of a file come at the same time: each waits for the one before.
            # A runner sends them one after the other.
            if isinstance(actor, User):
                locked(actor)
            if not _is_written(event, once):
                event.save(force_insert=True)


def _is_written(event: Event, once: timedelta) -> bool:
    same = ("action", "result", "actor_id", "actor_name", "address", "asset_key", "detail")
    younger = Event.objects.filter(timestamp__gt=event.timestamp - once)
    return younger.filter(**{name: getattr(event, name) for name in same}).exists()


@transaction.atomic
def rename(actor: User, asset: NamedAsset, name: str) -> None:
    """Rename a dataset, function or compute plan.

    Raises:
        Refused: the user may not (403), or the name is not valid (400).
    """
    refuse_if(check_rename(actor, asset, name))
    # Of two changes at once, the second waits, and the old name that it logs is the first's.
    model = type(asset)
    asset.name = (
        model._default_manager.select_for_update().values_list("name", flat=True).get(pk=asset.pk)
    )
    if name == asset.name:
        return
    detail = {"old_name": asset.name}
    asset.name = name
    asset.save(update_fields=["name", "name_folded", "name_order"])
    now, kind = timezone.now(), asset.asset_kind
    record(actor, Event.Action.RENAMED, kind, {asset.key: name}, when=now, detail=detail)


def check_rename(actor: User, asset: NamedAsset, name: str) -> Iterator[Problem]:
    """Yield the problems with a rename."""
    yield from check_may_change(actor, asset, OWNER_RENAMES[asset.asset_kind])
    yield from check_name(name, asset=asset.asset_kind.word)
