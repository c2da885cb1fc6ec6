"""What rooms ask alike."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery


class _CountOf(Subquery):
    """How many rows a query of the row outside has; the query may have a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts_by(
    rows: QuerySet, field: str, keys: Collection[Any], limit: int | None = None
) -> dict[Any, int]:
    """Return how many of the rows have each of the keys in a field; one query.

    With a limit, of each key at most so many are counted, however many there are.
    """
    if limit is None:
        counted = rows.filter(**{f"{field}__any": list(keys)}).order_by().values(field)
        return dict(counted.annotate(count=Count("pk")).values_list(field, "count"))
    ones = rows.filter(**{field: OuterRef("pk")}).order_by().values(field)[:limit]
    named = rows.model._meta.get_field(field).related_model._default_manager
    found = named.filter(pk__any=list(keys)).order_by().annotate(count=_CountOf(ones))
    return dict(found.values_list("pk", "count"))
