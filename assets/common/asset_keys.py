"""Keys of assets in their order, as a value."""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from uuid import UUID

import orjson


class AssetKeys(tuple[UUID, ...]):
    """Keys of assets in their order; a key may repeat.

    Lists are compared by a digest, which each computes once: tasks share lists of thousands.
    """

    def __new__(cls, keys: Iterable[UUID] = ()) -> "AssetKeys":
        return super().__new__(cls, keys)

    @property
    def json(self) -> bytes:
        """The keys as a JSON list of texts."""
        return orjson.dumps(list(self))

    @cached_property
    def digest(self) -> str:
        """The sha256 of `json`."""
        return hashlib.sha256(self.json).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, AssetKeys) and self.digest == other.digest)

    def __hash__(self) -> int:
        return hash(self.digest)
