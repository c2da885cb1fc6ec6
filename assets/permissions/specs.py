"""The permissions of an asset as a plain value."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..common.parsing import Reader


class PermissionsSpec(NamedTuple):
    """Public, or the ids of the permitted organisations; by default only the owner is permitted."""

    public: bool = False
    authorized_ids: tuple[str, ...] = ()

    def owned_by(self, owner: str) -> "PermissionsSpec":
        """Return the stored value: sorted ids, each once, with the owner."""
        return PermissionsSpec(self.public, tuple(sorted({*self.authorized_ids, owner})))

    def allows(self, organization_id: str | None) -> bool:
        """Return whether the permissions allow this organisation."""
        return self.public or organization_id in self.authorized_ids


def union(permissions: Iterable[PermissionsSpec]) -> PermissionsSpec:
    """Return permissions for all that any of them allows; public if one is. Contract 3.2."""
    ids: set[str] = set()
    for permission in permissions:
        if permission.public:
            return PermissionsSpec(True)
        ids.update(permission.authorized_ids)
    return PermissionsSpec(False, tuple(sorted(ids)))


def read_permissions(reader: Reader, data: Mapping[str, Any], field: str) -> PermissionsSpec:
    """Return the permissions of a request; if absent or null, only the owner is permitted."""
    value = reader.mapping(data, field)
    with reader.within(field):
        public = reader.flag(value, "public")
        ids = reader.items(value, "authorized_ids")
        if not all(isinstance(item, str) for item in ids):
            reader.complain("authorized_ids", "must be a list of organisation ids.")
            ids = []
    return PermissionsSpec(public, tuple(ids))
