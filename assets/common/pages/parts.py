"""The part of a long list that a page shows, and the way to the parts beside it.

A part is asked for by its number, `page`; beside it `from` or `to` say after or before which row it
stands, which an index finds at once where counting rows off would read all those before.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.models import QuerySet

from ..db.counting import Counted
from ..db.keyset import Keyset

# What the address says of the part; whatever changes the list forgets it.
PLACE = ("page", "from", "to")
# Of so many rows, and the next ones, all columns are read; of more only the keys.
SKIPPED = 500

Query = dict[str, str]


@dataclass
class Part:
    """Some rows of a list.

    `number` is the number of the part, from 1, where it is known. `first`, `previous`, `next` and
    `last` say how the address changes that leads there; None where nothing is.
    """

    records: Sequence[Any]
    counted: Counted
    size: int
    number: int | None
    first: Query | None = None
    previous: Query | None = None
    next: Query | None = None
    last: Query | None = None
    # As tables of django-tables2 know a page: the rows that it shows.
    object_list: Any = field(default=())

    def __iter__(self) -> Iterator[Any]:
        return iter(self.object_list)

    @property
    def start(self) -> int:
        """The number of the first row in the list."""
        return ((self.number or 1) - 1) * self.size + 1

    @property
    def end(self) -> int:
        return self.start + len(self.records) - 1

    @property
    def parts(self) -> int:
        """How many parts the list has."""
        return max(1, -(-self.counted.number // self.size))


def part_of(rows: QuerySet, counted: Counted, size: int, query: Mapping[str, str]) -> Part:
    """Return the part that the query asks for; for what is beyond the end, the last one."""
    keyset = Keyset.of(rows)
    rows = keyset.queryset if keyset else rows
    asked = query.get("page", "")
    number = int(asked) if asked.isdecimal() and len(asked) < 10 else None
    part = Part((), counted, size, max(1, number or 1))
    is_placed, has_next = False, False
    if position := keyset and _position(keyset, query.get("from", "")):
        part.records, is_placed = keyset.following(position, size + 1), True
    elif position := keyset and _position(keyset, query.get("to", "")):
        part.records, is_placed, has_next = keyset.preceding(position, size), True, True
    if is_placed:
        part.number = number
    elif asked == "last":
        _take_last(part, rows)
    else:
        _take_by_number(part, rows)
    has_next = has_next or len(part.records) > size
    part.records = part.records[:size]
    _link(part, keyset, has_next=has_next)
    return part


def _position(keyset: Keyset, text: str) -> list[Any] | None:
    try:
        values = orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        return None
    return keyset.read(values) if isinstance(values, list) else None


def _take_by_number(part: Part, rows: QuerySet) -> None:
    if part.counted.exact:
        part.number = min(part.number or 1, part.parts)
    start = part.start - 1
    if start <= SKIPPED:
        part.records = list(rows[start : start + part.size + 1])
    else:
        # To skip a row, its key is enough, which the index of the order has.
        keys = list(rows.values_list("pk", flat=True)[start : start + part.size + 1])
        part.records = list(rows.filter(pk__any=keys)) if keys else []
    if not part.records and start:
        _take_last(part, rows)


def _take_last(part: Part, rows: QuerySet) -> None:
    """Take the last rows, from the end; only of a list that was counted exactly how many."""
    part.number = part.parts if part.counted.exact else None
    left = part.counted.number - part.start + 1 if part.counted.exact else part.size
    part.records = list(rows.reverse()[: min(max(1, left), part.size)])[::-1]


def _link(part: Part, keyset: Keyset | None, *, has_next: bool) -> None:
    """Say which address leads to the parts beside this one."""
    if not part.records:
        return
    positions: list[Query] = [{}, {}]
    if keyset is not None:
        told = [
            orjson.dumps(position, default=str).decode()
            for position in keyset.positions(part.records)
        ]
        positions = [{"to": told[0]}, {"from": told[1]}]
    number = part.number
    if number != 1:
        part.first = {}
        before = {"page": str(number - 1)} if number else {}
        part.previous = {} if number == 2 else before | positions[0]
    if has_next:
        after = {"page": str(number + 1)} if number else {}
        part.next = after | positions[1]
        part.last = {"page": "last"}
