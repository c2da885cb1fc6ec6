"""The only writer of Permissions rows."""

from collections.abc import Collection, Iterable

from django.db.models import QuerySet

from ..accounts.queries import organization_ids
from ..common.db import bulk
from ..common.db.compiled import Compiled
from .models import Permissions, digest_of
from .specs import PermissionsSpec


def intern_permissions(values: Iterable[PermissionsSpec]) -> dict[PermissionsSpec, int]:
    """Return the id of each distinct value's row; insert the missing ones.

    Args:
        values: as stored, see `PermissionsSpec.owned_by`.

    The number of queries is constant. Two transactions may intern the same value at once.
    """
    digests = {digest_of(value): value for value in set(values)}
    ids = dict(_ids(digests))
    missing = {digest: value for digest, value in digests.items() if digest not in ids}
    if missing:
        ids |= _insert(missing)
    return {value: ids[digest] for digest, value in digests.items()}


@Compiled
def _ids(digests: Collection[str]) -> QuerySet:
    return Permissions.objects.filter(digest__any=digests).values_list("digest", "pk")


def _insert(values: dict[str, PermissionsSpec]) -> dict[str, int]:
    """Insert rows of the values; return their ids by digest."""
    bulk.insert(
        Permissions,
        [
            {"public": value.public, "authorized_ids": value.authorized_ids, "digest": digest}
            # The same order in all transactions, so that none deadlocks.
            for digest, value in sorted(values.items())
        ],
        ignore_conflicts=True,
    )
    ids, known = dict(_ids(values)), organization_ids()
    bulk.insert(
        Permissions.organizations.through,
        [
            {"permissions_id": pk, "organization_id": organization_id}
            for digest, pk in ids.items()
            for organization_id in known.intersection(values[digest].authorized_ids)
        ],
        ignore_conflicts=True,
    )
    return ids
