"""Lists that are asked for again: filters are read once, and statements compiled once.

A client asks for the tasks that failed every minute, and each time reading its parameters by forms
and writing the SQL would take longer than running it.
"""

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

from django.db.models import QuerySet

from . import whole
from .compiled import Compiled, key_columns
from .counting import Counted, Counter
from .keyset import Keyset

# Of all lists; each takes some 20 kB.
MOST = 500


class Listing:
    """The rows of a list, in its order, which are read each time anew."""

    def __init__(self, queryset: QuerySet) -> None:
        self.queryset = queryset
        self.keyset = Keyset.of(queryset)
        self._first: tuple[int, Compiled] | None = None

    def first(self, limit: int) -> tuple[list[Any], Counted | None]:
        """Return the first rows, and how many there are if that could be told in passing.

        Lists of keys have them as texts; beside them, each row has what `Keyset.positions` reads.
        """
        if self.keyset is None or self.queryset.query.values_select != ("pk",):
            return list(self.rows[:limit]), None
        if whole.is_whole(self.queryset):
            return whole.first_rows(self.keyset, limit)
        names, found = self.keyset.names, self._compiled(self.keyset, limit)()
        return [dict(zip(names, row, strict=True)) for row in found], None

    def count(self) -> int:
        """Return how many rows there are, or an estimate if they are many."""
        return self._counter.count(whole.LIMIT).number

    @property
    def rows(self) -> QuerySet:
        """The rows with what `Keyset.positions` reads of them."""
        return self.keyset.queryset if self.keyset else self.queryset

    @cached_property
    def _counter(self) -> Counter:
        return Counter(self.queryset)

    def _compiled(self, keyset: Keyset, limit: int) -> Compiled:
        # Of one size only: who asks for ten thousand sizes fills no memory. Another thread may put
        # that of another size in its place meanwhile.
        first = self._first
        if first is None or first[0] != limit:
            columns = key_columns(keyset.paths)
            first = limit, Compiled(lambda _: self.queryset.values_list(*columns)[:limit])
            self._first = first
        return first[1]


_kept: dict[Hashable, Listing] = {}


def kept(asked: Hashable | None, build: Callable[[], QuerySet]) -> Listing:
    """Return the list that was asked for so; `build` makes it when it is not kept.

    `asked` must hold all that the filters of the list look at; without it, none is kept.
    """
    listing = _kept.get(asked)
    if listing is None:
        listing = Listing(build())
        if asked is not None:
            if len(_kept) >= MOST:
                _kept.clear()
            _kept[asked] = listing
    return listing
