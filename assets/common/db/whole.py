"""The first page of a list of everything: one statement, compiled once, has its rows and their
number. That is what most clients ask for, and Django would take longer to write it than to run it.
"""

from functools import lru_cache
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Model, QuerySet
from django.db.models.expressions import RawSQL

from .compiled import Compiled, key_columns
from .counting import LAST_ROW, Counted
from .keyset import Keyset

# So many rows are counted in a fraction of a millisecond; more are estimated, so that a list costs
# the same however long it is. Pages, which take longer anyway, count further (`counting.LIMIT`).
LIMIT = 2_000

# Without a condition. What PostgreSQL's planner would say, from the same statistics, and None as
# long as there are none; and the number of SQLite's last row, as in `counting`.
ESTIMATES = {
    "postgresql": "SELECT CASE WHEN relpages > 0 THEN (reltuples / relpages * "
    "(pg_relation_size(oid) / current_setting('block_size')::int))::bigint END "
    "FROM pg_class WHERE oid = '{}'::regclass",
    "sqlite": LAST_ROW,
}


def is_whole(queryset: QuerySet) -> bool:
    """Return whether these are the keys of every row of a table."""
    query = queryset.query
    return query.values_select == ("pk",) and not (
        query.where
        or query.annotations
        or query.is_sliced
        or query.combinator
        or query.distinct
        or query.extra
    )


def first_rows(keyset: Keyset, limit: int) -> tuple[list[dict[str, Any]], Counted | None]:
    """Return the first rows of a whole table as `values("pk")` does, and how many there are.

    That is None where statistics are missing. Keys are texts; beside them each row has the values
    that `Keyset.positions` takes off.
    """
    statement = statement_of(keyset.model, keyset.paths, keyset.ascending, limit, LIMIT)
    found = statement()
    counted = None
    if found:
        number, estimate = found[0][-2:]
        if number <= LIMIT:
            counted = Counted(number, exact=True)
        elif estimate is not None:
            counted = Counted(max(number, estimate), exact=False)
    return [dict(zip(keyset.names, row, strict=False)) for row in found], counted


# An order and a size of pages each; clients have few of them.
@lru_cache(maxsize=256)
def statement_of(
    model: type[Model], paths: tuple[str, ...], ascending: bool, limit: int, most: int
) -> Compiled:
    """Return the statement of such a page, which counts at most `most` rows and estimates more."""
    table = connection.ops.quote_name(model._meta.db_table)
    estimate = ESTIMATES[connection.vendor].format(table)
    ordering = [path if ascending else f"-{path}" for path in paths[1:]]

    def build(values: Any) -> QuerySet:
        return model._default_manager.order_by(
            *ordering
        ).values_list(
            *key_columns(paths),
            _number(f"SELECT COUNT(*) FROM (SELECT 1 FROM {table} LIMIT {most + 1}) counted"),  # noqa: S608
            _number(estimate),
        )[:limit]

    return Compiled(build)


def _number(sql: str) -> RawSQL:
    return RawSQL(f"({sql})", (), BigIntegerField())  # noqa: S611
