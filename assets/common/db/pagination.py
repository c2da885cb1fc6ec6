"""Ordered lists that are read page by page, by the number of a page or by the row it follows.

The lists of the API and those of the pages stand on it; each has its own links.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import QuerySet

from .compiled import Compiled, Instances, Rows
from .counting import EXACT_COUNT_LIMIT, Counter, RowCount
from .keyset import Keyset, Position

# To skip more rows than this, only their keys are read, which the index of the order holds.
MAX_SKIPPED_ROWS = 500


class Page(NamedTuple):
    """The rows of one page, and whether rows follow them."""

    rows: list[Any]
    has_next: bool


class Listing:
    """The rows of a queryset in its order. Each page is read from the database when asked for.

    A listing can be used by several threads and for several requests: it compiles the statements of
    the first page and of the count once.
    """

    def __init__(
        self, queryset: QuerySet, shown: Rows | None = None, *, is_kept: bool = False
    ) -> None:
        """Make a listing of rows, or of keys with the columns of each that are `shown`.

        A row of keys is a dictionary with `pk`; on a first page, a tuple that begins with `shown`.

        Args:
            is_kept: whether a listing of rows is used again, so that its first page is compiled.
        """
        self.queryset = queryset
        self._shown = shown
        self._instances = Instances(lambda _: self.rows) if is_kept else None
        # None where rows can only be skipped by number.
        self.keyset = Keyset.of(queryset)
        self._first_page: tuple[int, Compiled] | None = None

    @property
    def rows(self) -> QuerySet:
        """The rows with the columns that `positions` reads."""
        return self.keyset.queryset if self.keyset else self.queryset

    def count(self, limit: int = EXACT_COUNT_LIMIT) -> RowCount:
        """Return the number of rows: exact up to `limit`, an estimate above."""
        return self._counter.count(limit)

    def page(self, number: int, size: int) -> Page:
        """Return the page with this number, from 1; it has no rows beyond the last page."""
        start, stop = (number - 1) * size, number * size + 1
        if not start:
            rows = self._first_rows(stop)
        elif start <= MAX_SKIPPED_ROWS or self.queryset.query.has_select_fields:
            rows = list(self.rows[start:stop])
        else:
            keys = list(self.rows.values_list("pk", flat=True)[start:stop])
            rows = list(self.rows.filter(pk__any=keys)) if keys else []
        return Page(rows[:size], len(rows) > size)

    def page_after(self, position: Position, size: int) -> Page:
        """Return the page that follows a position of the keyset."""
        assert self.keyset is not None  # noqa: S101  the position is one of its
        rows = self.keyset.following(position, size + 1)
        return Page(rows[:size], len(rows) > size)

    def page_before(self, position: Position, size: int) -> Page:
        """Return the page that ends before a position of the keyset."""
        assert self.keyset is not None  # noqa: S101  the position is one of its
        # The row at the position follows: registered assets are never deleted.
        return Page(self.keyset.preceding(position, size), True)

    def last_page(self, size: int) -> Page:
        """Return the last rows, at most `size`, in their order."""
        return Page(list(self.rows.reverse()[:size])[::-1], False)

    def position(self, values: object) -> Position | None:
        """Return the position that JSON values spell; None where no row of this order can be."""
        return self.keyset.read(values) if self.keyset and isinstance(values, list) else None

    def positions(self, rows: Sequence[Any]) -> tuple[Position | None, Position | None]:
        """Return the positions of the first and the last of these rows.

        Rows that are dictionaries lose the columns that were added for it.
        """
        if self.keyset is None or not rows:
            return None, None
        first, last = self.keyset.positions(rows)
        return first, last

    def _first_rows(self, limit: int) -> list[Any]:
        keyset = self.keyset
        if self._instances:
            return self._instances(limit=limit)
        if keyset is None or self._shown is None:
            return list(self.rows[:limit])
        # Only the statement for the last size stays in memory. Another thread may replace it
        # meanwhile, so the attribute is read once.
        first = self._first_page
        if first is None or first[0] != limit:
            first = limit, self._shown.first(self.queryset, limit, keyset.paths)
            self._first_page = first
        return first[1]()

    @cached_property
    def _counter(self) -> Counter:
        return Counter(self.queryset)
