"""Queries that several rooms share."""

from collections.abc import Collection
from typing import Any

from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery


class _CountOf(Subquery):
    """The number of rows of a subquery, which may have a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts_by(
    rows: QuerySet, field: str, keys: Collection[Any], limit: int | None = None
) -> dict[Any, int]:
    """Return the number of rows by the key in their `field`; one query.

    Keys without rows may be missing. No more than `limit` rows of each key are counted.
    """
    if limit is None:
        counted = rows.filter(**{f"{field}__any": list(keys)}).order_by().values(field)
        return dict(counted.annotate(count=Count("pk")).values_list(field, "count"))
    ones = rows.filter(**{field: OuterRef("pk")}).order_by().values(field)[:limit]
    named: Any = rows.model
    for name in field.split("__"):
        named = named._meta.get_field(name).related_model
    found = named._default_manager.filter(pk__any=list(keys)).order_by()
    return dict(found.annotate(count=_CountOf(ones)).values_list("pk", "count"))


def related_rows(model: type[Model], name: str) -> QuerySet:
    """Return all rows of another model whose foreign key to `model` has this `related_name`.

    A room reaches the rows of a higher room by it without importing that room.
    """
    relation: Any = model._meta.get_field(name)
    return relation.related_model._default_manager.all()
