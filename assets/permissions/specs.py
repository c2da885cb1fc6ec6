"""The Permissions value as people hand it over and as it is compared."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..common.parsing import Reader


class PermissionsSpec(NamedTuple):
    """`public`, or else the ids of the organisations that may. Absent means private to the owner.

    PrivatePermissions is the same value with `public` false.
    """

    public: bool = False
    authorized_ids: tuple[str, ...] = ()

    def owned_by(self, owner: str) -> "PermissionsSpec":
        """Return the value as it is stored: ids sorted, once each, the owner among them."""
        return PermissionsSpec(self.public, tuple(sorted({*self.authorized_ids, owner})))

    def allows(self, organization_id: str | None) -> bool:
        """May this organisation use what the permissions are about?"""
        return self.public or organization_id in self.authorized_ids

    def __or__(self, other: "PermissionsSpec") -> "PermissionsSpec":
        """Whoever either of the two allows; a public result lists nobody."""
        return union((self, other))

    def __and__(self, other: "PermissionsSpec") -> "PermissionsSpec":
        """Whoever both allow."""
        if self.public and other.public:
            return PermissionsSpec(True)
        if self.public or other.public:
            return PermissionsSpec(False, (other if self.public else self).authorized_ids)
        common = set(self.authorized_ids) & set(other.authorized_ids)
        return PermissionsSpec(False, tuple(sorted(common)))


def union(permissions: Iterable[PermissionsSpec]) -> PermissionsSpec:
    """Whoever any of them allows; public with no ids as soon as one is public. Contract 3.2."""
    ids: set[str] = set()
    for permission in permissions:
        if permission.public:
            return PermissionsSpec(True)
        ids.update(permission.authorized_ids)
    return PermissionsSpec(False, tuple(sorted(ids)))


def read_permissions(reader: Reader, data: Mapping[str, Any], field: str) -> PermissionsSpec:
    """Read a permission object of the wire; absent or null is private to the owner."""
    value = reader.mapping(data, field)
    with reader.within(field):
        public = reader.flag(value, "public")
        ids = reader.items(value, "authorized_ids")
        if not all(isinstance(item, str) for item in ids):
            reader.complain("authorized_ids", "must be a list of organisation ids.")
            ids = []
    return PermissionsSpec(public, tuple(ids))
