"""Pages of a list: `{count, next, previous, results}`. Contract 1.6."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from ..db.cached_listing import Listing
from ..db.counting import Counted
from ..db.keyset import Position

AFTER, BEFORE, FILTERED_BY = "after", "before", "filtered_by"
# Parameters that say which page of a list it is.
OF_PAGES = frozenset(["page", "page_size", AFTER, BEFORE, FILTERED_BY])
# What the SDK accepts, and nothing else does. It sends its parameters again on top of a link.
OF_SDK = "version=0.0"
# Characters of parameters that may come twice; longer ones would not fit into the next request.
LONGEST_REPEATED = 1_000
# Enough of a signature: a cursor that were forged could do no harm but to its own list.
SIGNATURE = 12
# What both databases can skip.
MOST_ROWS = 2**62


class Cursor(NamedTuple):
    """Where a page begins, and how many rows its list had when the first page was answered."""

    way: str
    position: Position
    total: int


def is_from_sdk(request: Request) -> bool:
    """Return whether the SDK sent the request, or a client that accepts the same."""
    return OF_SDK in request.headers.get("Accept", "")


class PagePagination(PageNumberPagination):
    """`page` from 1, `page_size` up to 10,000; a view may set another `page_size`.

    Links to other pages carry a cursor besides the number: the row that the page follows (`after`)
    or leads to (`before`), so that a page costs the same wherever it is, and rows that come or go
    meanwhile move no other row to another page. It holds for the request that it was made for;
    in any other the number of the page does.

    The SDK sends its parameters again with each link. When these are long, a link for the SDK has
    a digest of them in their place (`filtered_by`), and whoever follows it without them is refused.
    """

    page_size_query_param = "page_size"
    max_page_size = 10_000
    template = "rest_framework/pagination/previous_and_next.html"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Sequence[Any]:
        """Return the rows of the page that is asked for; 404 beyond the last one.

        These are a QuerySet, the Listing of one, or a sequence.

        Two statements: the rows, and how many there are; the second only on a first page, or on
        one that is asked for by its number alone, and only if there are more rows than it shows.
        One for the first page of all that there is.
        """
        self.request = request
        self.page_size = getattr(view, "page_size", None) or self.page_size
        self.size = int(self.get_page_size(request) or 1)
        self._check_filters()
        every = Listing(queryset) if isinstance(queryset, QuerySet) else queryset
        self.number = self._asked_number(every)
        self.keyset = every.keyset if isinstance(every, Listing) else None
        cursor = self._cursor() if self.keyset else None
        skipped = (self.number - 1) * self.size
        self.counted: Counted | None = None
        rows, more = self._rows(every, cursor, skipped)
        if not rows and self.number > 1 and not cursor:
            raise NotFound(self.invalid_page_message)
        # A page proves that there are so many rows; an estimate, or rows that came later, may not.
        self.count = skipped + len(rows) + more
        if more:
            self.count = max(self.count, cursor.total if cursor else self._counted(every))
        positions = self.keyset.positions(rows) if self.keyset and rows else (None, None)
        self.next = self._link(self.number + 1, AFTER, positions[1]) if more else None
        self.previous = self._link(self.number - 1, BEFORE, positions[0])
        self.display_page_controls = bool(self.next or self.previous)
        return rows

    def _asked_number(self, every: Listing | Sequence[Any]) -> int:
        asked = self.request.query_params.get(self.page_query_param) or "1"
        if asked in self.last_page_strings:
            total = every.queryset.count() if isinstance(every, Listing) else len(every)
            return max(1, -(-total // self.size))
        try:
            number = int(asked)
        except ValueError:
            number = 0
        if not 0 < number < MOST_ROWS // self.size:
            raise NotFound(self.invalid_page_message)
        return number

    def _rows(
        self, every: Listing | Sequence[Any], cursor: Cursor | None, skipped: int
    ) -> tuple[Sequence[Any], bool]:
        """Return the page's rows, and whether there are more."""
        if cursor and self.keyset and cursor.way == BEFORE:
            # The row that the page leads to is there still: what is registered stays.
            return self.keyset.preceding(cursor.position, self.size), True
        if cursor and self.keyset:
            rows = self.keyset.following(cursor.position, self.size + 1)
        elif isinstance(every, Listing) and not skipped:
            rows, self.counted = every.first(self.size + 1)
        else:
            found = every.rows if isinstance(every, Listing) else every
            rows = list(found[skipped : skipped + self.size + 1])
        return rows[: self.size], len(rows) > self.size

    def _counted(self, every: Listing | Sequence[Any]) -> int:
        if self.counted:
            return self.counted.number
        return every.count() if isinstance(every, Listing) else len(every)

    # --- Links ----------------------------------------------------------------------------------

    def _params(self) -> dict[str, str]:
        # The SDK sends its parameters again on top of `next`, so each occurs twice; copied as
        # they are, the URL would grow with every page. The last of each counts.
        params = self.request.query_params.dict()
        left_out = (AFTER, BEFORE, FILTERED_BY)
        return {name: params[name] for name in sorted(params) if name not in left_out}

    def _filters(self) -> dict[str, str]:
        return {name: text for name, text in self._params().items() if name not in OF_PAGES}

    def _filtered_by(self) -> str:
        digest = sha256(orjson.dumps(sorted(self._filters().items()))).digest()
        return urlsafe_b64encode(digest[:SIGNATURE]).decode()

    def _check_filters(self) -> None:
        if self.request.query_params.get(FILTERED_BY, self._filtered_by()) != self._filtered_by():
            detail = (
                "This link continues a list with filters, and is for clients that send their "
                "filters again with it: add the parameters of the first request to it."
            )
            raise ValidationError({"detail": detail})

    def _link(self, number: int, way: str, position: Position | None) -> str | None:
        if number < 1:
            return None
        params = self._params()
        params.pop(self.page_query_param, None)
        if number > 1:
            params[self.page_query_param] = str(number)
            if position:
                payload = orjson.dumps([self.count, *position])
                signed = self._signature(way, params, payload) + payload
                params[way] = urlsafe_b64encode(signed).decode().rstrip("=")
        filters = self._filters()
        if is_from_sdk(self.request) and len(urlencode(filters)) > LONGEST_REPEATED:
            params = {name: text for name, text in params.items() if name not in filters}
            params[FILTERED_BY] = self._filtered_by()
        query = urlencode(sorted(params.items()))
        url = self.request.build_absolute_uri(self.request.path)
        return f"{url}?{query}" if query else url

    def _cursor(self) -> Cursor | None:
        """Return the request's cursor, unless it cannot be read or is another request's."""
        for way in (AFTER, BEFORE):
            text = self.request.query_params.get(way, "")
            try:
                signed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            except ValueError:
                continue
            signature, payload = signed[:SIGNATURE], signed[SIGNATURE:]
            if payload and constant_time_compare(
                signature, self._signature(way, self._params(), payload)
            ):
                total, *values = orjson.loads(payload)
                position = self.keyset.read(values) if self.keyset else None
                return Cursor(way, position, total) if position else None
        return None

    def _signature(self, way: str, params: dict[str, str], payload: bytes) -> bytes:
        request = orjson.dumps([way, self.request.path, sorted(params.items())])
        return salted_hmac("page", request + payload, algorithm="sha256").digest()[:SIGNATURE]

    # --- Answers --------------------------------------------------------------------------------

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {"count": self.count, "next": self.next, "previous": self.previous, "results": data}
        )

    def get_next_link(self) -> str | None:
        return self.next

    def get_previous_link(self) -> str | None:
        return self.previous

    def get_html_context(self) -> dict[str, Any]:
        return {"previous_url": self.previous, "next_url": self.next}
