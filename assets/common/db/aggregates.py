"""Queries that several rooms share."""

from collections.abc import Collection
from functools import cache
from typing import Any

from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery

from .compiled import Compiled


class CountOf(Subquery):
    """The number of rows of a subquery, which may have a limit."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()


def counts_by(
    model: type[Model], field: str, keys: Collection[Any], limit: int | None = None
) -> dict[Any, int]:
    """Return the number of a model's rows by the key in their `field`; one query.

    Keys without rows may be missing. No more than `limit` rows of each key are counted.
    """
    return dict(_counts(model, field, limit)(keys))


@cache
def _counts(model: type[Model], field: str, limit: int | None) -> Compiled:
    def build(keys: Any) -> QuerySet:
        rows = model._default_manager.order_by()
        if limit is None:
            counted = rows.filter(**{f"{field}__any": keys}).values(field)
            return counted.annotate(count=Count("pk")).values_list(field, "count")
        ones = rows.filter(**{field: OuterRef("pk")}).values(field)[:limit]
        named: Any = model
        for name in field.split("__"):
            named = named._meta.get_field(name).related_model
        found = named._default_manager.filter(pk__any=keys).order_by()
        return found.annotate(count=CountOf(ones)).values_list("pk", "count")

    return Compiled(build)


def related_model(model: type[Model], name: str) -> type[Model]:
    """Return another model, whose foreign key to `model` has this `related_name`.

    A room reaches the rows of a higher room by it without importing that room.
    """
    relation: Any = model._meta.get_field(name)
    return relation.related_model


def related_rows(model: type[Model], name: str) -> QuerySet:
    """Return all rows of that other model."""
    return related_model(model, name)._default_manager.all()
