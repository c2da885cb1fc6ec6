"""The part of a list that a page shows, and how its address changes for the parts beside it.

The address has the number of the part, `page`, and the row that it follows (`from`) or ends before
(`to`): an index finds that row at once, where skipping by number reads all rows before it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..db.counting import RowCount
from ..db.keyset import Position
from ..db.pagination import Listing, Page

# The parameters that select a part. Changing a filter, the order or the size drops them.
PLACE = ("page", "from", "to")

Query = dict[str, str]


@dataclass
class Part:
    """Some rows of a list.

    `number` is the number of the part, from 1, where it is known. `first`, `previous`, `next` and
    `last` say how the address changes that leads there; None where nothing is.
    """

    records: Sequence[Any]
    counted: RowCount
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


def part_of(listing: Listing, counted: RowCount, size: int, query: Mapping[str, str]) -> Part:
    """Return the part that the query asks for; beyond the end, the last one."""
    text = query.get("page", "")
    number = int(text) if text.isdecimal() and len(text) < 10 else None
    part = Part((), counted, size, number)
    if position := _position(listing, query.get("from", "")):
        page = listing.page_after(position, size)
    elif position := _position(listing, query.get("to", "")):
        page = listing.page_before(position, size)
    elif text == "last":
        page = _last_page(part, listing)
    else:
        page = _numbered_page(part, listing)
    part.records = page.rows
    _link(part, listing, has_next=page.has_next)
    return part


def _position(listing: Listing, text: str) -> Position | None:
    try:
        return listing.position(orjson.loads(text)) if text else None
    except orjson.JSONDecodeError:
        return None


def _numbered_page(part: Part, listing: Listing) -> Page:
    number = max(1, part.number or 1)
    part.number = min(number, part.parts) if part.counted.exact else number
    page = listing.page(part.number, part.size)
    return page if page.rows or part.number == 1 else _last_page(part, listing)


def _last_page(part: Part, listing: Listing) -> Page:
    """Return the rows at the end; only an exact count says which number their part has."""
    if not part.counted.exact:
        part.number = None
        return listing.last_page(part.size)
    part.number = part.parts
    left = part.counted.number - part.start + 1
    return listing.last_page(min(max(1, left), part.size))


def _link(part: Part, listing: Listing, *, has_next: bool) -> None:
    """Set how the address changes that leads to the parts beside this one."""
    if not part.records:
        return
    first, last = (
        orjson.dumps(position, default=str).decode() if position else None
        for position in listing.positions(part.records)
    )
    number = part.number
    if number != 1:
        part.first = {}
        before = {"page": str(number - 1)} if number else {}
        part.previous = {} if number == 2 else before | ({"to": first} if first else {})
    if has_next:
        after = {"page": str(number + 1)} if number else {}
        part.next = after | ({"from": last} if last else {})
        part.last = {"page": "last"}
