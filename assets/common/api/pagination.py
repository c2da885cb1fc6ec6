"""Pages of a list: `{count, next, previous, results}`. Contract 1.6."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlencode

import orjson
from django.db.models import QuerySet
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from ..db.keyset import Position
from ..db.pagination import Listing, Page
from .query_cache import PAGE_PARAMS

AFTER, BEFORE, FILTERED_BY = "after", "before", "filtered_by"
# What the SDK accepts, and no other client. It repeats its parameters when it follows a link.
SDK_MEDIA_TYPE = "version=0.0"
# Characters of parameters that a link for the SDK repeats; longer ones would not fit into a URL
# twice.
MAX_REPEATED = 1_000
# Bytes of a digest of parameters.
DIGEST_SIZE = 12
# Lists are counted exactly up to this number, and estimated above: so the first page of a long list
# takes no longer than that of a short one.
EXACT_COUNT_LIMIT = 2_000
# Both databases can skip this number of rows.
MAX_SKIPPED = 2**62


class Cursor(NamedTuple):
    """Where a page begins (`AFTER`) or ends (`BEFORE`), and the total on the first page."""

    way: str
    position: Position
    total: int


def is_from_sdk(request: Request) -> bool:
    """Return whether the SDK sent the request, or a client that accepts the same media type."""
    return SDK_MEDIA_TYPE in request.headers.get("Accept", "")


class PagePagination(PageNumberPagination):
    """`page` from 1, `page_size` up to 10,000; a view may set its own `page_size`.

    Links to other pages carry a cursor besides the number: the row that the page follows (`after`)
    or ends before (`before`). So every page costs the same, and rows that are added meanwhile move
    no row to another page. A cursor applies to the path and parameters that it was made for; with
    others it is ignored, and the number of the page applies.

    The SDK repeats its parameters when it follows a link. When these are long, a link for the SDK
    has a digest of them instead (`filtered_by`), and following it without them is refused.
    """

    page_size_query_param = "page_size"
    max_page_size = 10_000
    template = "rest_framework/pagination/previous_and_next.html"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> Sequence[Any]:
        """Return the rows of the requested page of a QuerySet, a Listing or a sequence.

        Takes two statements: one for the rows, and one for the count, which is needed only on a
        first page, or one requested by its number alone, that other pages follow.

        Raises:
            NotFound: the page is beyond the last one, or is not a number.
            ValidationError: the link was made for other filters.
        """
        self.request = request
        self.page_size = getattr(view, "page_size", None) or self.page_size
        self.size = int(self.get_page_size(request) or 1)
        self.params = _params(request)
        self._check_filters()
        found = Listing(queryset) if isinstance(queryset, QuerySet) else queryset
        self.number = self._requested_number(found)
        cursor = self._cursor(found) if isinstance(found, Listing) else None
        rows, has_next = self._page(found, cursor)
        if not rows and self.number > 1 and not cursor:
            raise NotFound(self.invalid_page_message)
        # The page itself proves this number; an estimate, or a count that is older, may be lower.
        self.count = (self.number - 1) * self.size + len(rows) + has_next
        if has_next:
            self.count = max(self.count, cursor.total if cursor else _count(found))
        first, last = found.positions(rows) if isinstance(found, Listing) else (None, None)
        self.next = self._link(self.number + 1, AFTER, last) if has_next else None
        self.previous = self._link(self.number - 1, BEFORE, first)
        self.display_page_controls = bool(self.next or self.previous)
        return rows

    def _requested_number(self, found: Listing | Sequence[Any]) -> int:
        text = self.request.query_params.get(self.page_query_param) or "1"
        if text in self.last_page_strings:
            count = found.queryset.count() if isinstance(found, Listing) else len(found)
            return max(1, -(-count // self.size))
        try:
            number = int(text)
        except ValueError:
            number = 0
        if not 0 < number < MAX_SKIPPED // self.size:
            raise NotFound(self.invalid_page_message)
        return number

    def _page(self, found: Listing | Sequence[Any], cursor: Cursor | None) -> Page:
        if not isinstance(found, Listing):
            stop = self.number * self.size
            return Page(list(found[stop - self.size : stop]), len(found) > stop)
        if cursor is None:
            return found.page(self.number, self.size)
        take = found.page_after if cursor.way == AFTER else found.page_before
        return take(cursor.position, self.size)

    # --- Links ----------------------------------------------------------------------------------

    @property
    def _filters(self) -> dict[str, str]:
        return {name: text for name, text in self.params.items() if name not in PAGE_PARAMS}

    def _check_filters(self) -> None:
        asked = self.request.query_params.get(FILTERED_BY)
        if asked is not None and asked != _as_text(_digest(self._filters)):
            detail = (
                "This link continues a list with filters, and is for clients that send their "
                "filters again with it: add the parameters of the first request to it."
            )
            raise ValidationError({"detail": detail})

    def _link(self, number: int, way: str, position: Position | None) -> str | None:
        if number < 1:
            return None
        params = {name: text for name, text in self.params.items() if name != self.page_query_param}
        if number > 1:
            params[self.page_query_param] = str(number)
            if position:
                digest = _digest(params, way, self.request.path)
                params[way] = _as_text(digest + orjson.dumps([self.count, *position]))
        filters = self._filters
        if len(urlencode(filters)) > MAX_REPEATED and is_from_sdk(self.request):
            params = {name: text for name, text in params.items() if name not in filters}
            params[FILTERED_BY] = _as_text(_digest(filters))
        query = urlencode(sorted(params.items()))
        url = self.request.build_absolute_uri(self.request.path)
        return f"{url}?{query}" if query else url

    def _cursor(self, listing: Listing) -> Cursor | None:
        """Return the request's cursor; None if it is unreadable or was made for other parameters.

        A client can make up a cursor, which selects no rows but those of its own list.
        """
        for way in (AFTER, BEFORE):
            text = self.request.query_params.get(way)
            if not text:
                continue
            try:
                content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
                if content[:DIGEST_SIZE] != _digest(self.params, way, self.request.path):
                    continue
                total, *values = orjson.loads(content[DIGEST_SIZE:])
            except (ValueError, TypeError):  # no base64, no JSON, or no list
                continue
            position = listing.position(values)
            if position and isinstance(total, int) and 0 <= total < MAX_SKIPPED:
                return Cursor(way, position, total)
        return None

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


def _params(request: Request) -> dict[str, str]:
    """Return the parameters in the order of their names, without those that make a cursor.

    The SDK repeats its parameters, so a link that copied the query would grow with every page. The
    last value of each counts.
    """
    params = request.query_params.dict()
    left_out = (AFTER, BEFORE, FILTERED_BY)
    return {name: params[name] for name in sorted(params) if name not in left_out}


def _count(found: Listing | Sequence[Any]) -> int:
    return found.count(EXACT_COUNT_LIMIT).number if isinstance(found, Listing) else len(found)


def _digest(params: Mapping[str, str], *context: str) -> bytes:
    """Return a digest that distinguishes requests. It is no signature: anyone can compute it."""
    return sha256(orjson.dumps([context, sorted(params.items())])).digest()[:DIGEST_SIZE]


def _as_text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
