"""Lists that clients request again and again: their filters are parsed and compiled only once.

The rows are read from the database each time. Without this, a client that polls for failed tasks
would spend more time on parsing parameters and on writing SQL than on running it.
"""

from collections.abc import Callable, Hashable

from rest_framework.request import Request

from ..db.pagination import Listing

# Parameters that select a page of a list rather than its rows.
PAGE_PARAMS = frozenset(["page", "page_size", "after", "before", "filtered_by"])
# Each listing takes about 20 kB.
MAX_CACHED_LISTS = 500
# Characters; filters by hundreds of keys are rarely sent twice.
MAX_CACHED_QUERY = 1_000

_listings: dict[Hashable, Listing] = {}


def cached_listing(request: Request, build: Callable[[], Listing]) -> Listing:
    """Return the listing of this request's path, filters and user; `build` makes a new one."""
    key = _key(request)
    listing = _listings.get(key)
    if listing is None:
        listing = build()
        if key is not None:
            if len(_listings) >= MAX_CACHED_LISTS:
                _listings.clear()
            _listings[key] = listing
    return listing


def _key(request: Request) -> Hashable | None:
    """Return everything that filters read; None for a query that is too long to cache."""
    if len(request.META["QUERY_STRING"]) > MAX_CACHED_QUERY:
        return None
    params = request.query_params.lists()
    filters = sorted((name, tuple(texts)) for name, texts in params if name not in PAGE_PARAMS)
    user = request.user
    return request.path, user.pk, user.organization_id, tuple(filters)
