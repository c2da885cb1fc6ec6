"""The only writer of events, and of the one change that several kinds share: the name."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from ..common import bulk
from ..common.errors import Problem, refuse_if
from ..common.kinds import AssetKind
from ..common.models import Asset
from ..common.rules import check_name
from ..organizations.models import User
from ..permissions.access import check_may_change
from .models import Event


def record(
    actor: User,
    action: str,
    kind: AssetKind,
    assets: Iterable[Asset],
    *,
    when: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write one event per asset, all in one statement, in the transaction that did it."""
    bulk.insert(
        [
            Event(
                timestamp=when,
                action=action,
                organization_id=actor.organization_id,
                actor=actor,
                actor_name=actor.username,
                asset_kind=kind,
                asset_key=asset.key,
                asset_name=getattr(asset, "name", ""),
                detail=detail or {},
            )
            for asset in assets
        ]
    )


@transaction.atomic
def rename(actor: User, kind: AssetKind, asset: Asset, name: str) -> None:
    """Give a dataset, function or compute plan another name; the one change that all three allow.

    Raises:
        Refused: the user may not (403), or the name is not valid (400).
    """
    refuse_if(check_rename(actor, kind, asset, name))
    if name == asset.name:
        return
    detail = {"old_name": asset.name}
    asset.name = name
    asset.save(update_fields=["name"])
    record(actor, Event.Action.RENAMED, kind, [asset], when=timezone.now(), detail=detail)


def check_rename(actor: User, kind: AssetKind, asset: Asset, name: str) -> Iterator[Problem]:
    """All that stands against the rename."""
    yield from check_may_change(actor, asset, f"rename this {kind.label}")
    yield from check_name(name, asset=kind.word)
