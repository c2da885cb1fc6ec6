"""The only writer of Permissions rows."""

from collections.abc import Iterable

from ..accounts.queries import organization_ids
from ..common.db import bulk
from .models import Permissions, digest_of
from .specs import PermissionsSpec


def intern_permissions(values: Iterable[PermissionsSpec]) -> dict[PermissionsSpec, Permissions]:
    """Return the row of each distinct value; insert the missing ones.

    Args:
        values: as stored, see `PermissionsSpec.owned_by`.

    The number of queries is constant. Two transactions may intern the same value at once.
    """
    digests = {digest_of(value): value for value in set(values)}
    rows = _rows(digests)
    missing = [digest for digest in digests if digest not in rows]
    if missing:
        _insert({digest: digests[digest] for digest in missing})
        rows |= _rows(missing)
    return {value: rows[digest] for digest, value in digests.items()}


def _rows(digests: Iterable[str]) -> dict[str, Permissions]:
    found = Permissions.objects.filter(digest__any=list(digests))
    return {row.digest: row for row in found}


def _insert(values: dict[str, PermissionsSpec]) -> None:
    bulk.insert(
        Permissions,
        [
            {"public": value.public, "authorized_ids": value.authorized_ids, "digest": digest}
            # The same order in all transactions, so that none deadlocks.
            for digest, value in sorted(values.items())
        ],
        ignore_conflicts=True,
    )
    known = organization_ids()
    bulk.insert(
        Permissions.organizations.through,
        [
            {"permissions_id": row.pk, "organization_id": organization_id}
            for digest, row in _rows(values).items()
            for organization_id in known.intersection(values[digest].authorized_ids)
        ],
        ignore_conflicts=True,
    )
