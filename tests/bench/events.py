"""The events of what the data set registers."""

from collections.abc import Mapping
from typing import Any

from assets.accounts.models import User
from assets.common.kinds import AssetKind

from .rows import Table, plain


class Events:
    """The feed: one event for each asset, as `feed.registration.record` writes them."""

    def __init__(self, users: Mapping[str, User]) -> None:
        self._users = {name: (user.pk, user.username) for name, user in users.items()}
        self.table = Table(
            "Event",
            *("timestamp", "action", "organization_id", "actor_id", "actor_name"),
            *("asset_kind", "asset_key", "asset_name", "detail"),
        )

    def add(
        self,
        owner: str,
        action: str,
        kind: AssetKind,
        names: Mapping[str, str],
        when: str,
        **detail: Any,
    ) -> None:
        """Record what the owner's user did to assets; `names` by key, blank where there is none."""
        same = (when, action, owner, *self._users[owner], kind.value)
        text = plain(detail)
        self.table.extend((*same, key, name, text) for key, name in names.items())
