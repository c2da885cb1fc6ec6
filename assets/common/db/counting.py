"""Numbers of rows: counted exactly up to a limit, and estimated above it."""

import json
from functools import cached_property
from typing import NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.lookups import In

from .compiled import Compiled

# Counting this number of rows by an index takes a few milliseconds.
EXACT_COUNT_LIMIT = 10_000
# The number of all rows of a table. SQLite numbers rows as they are inserted, and assets are never
# deleted. PostgreSQL knows how many rows a page of the table had when it last looked.
LAST_ROW = "SELECT MAX(rowid) FROM {}"
ALL_ROWS = {
    "sqlite": LAST_ROW,
    "postgresql": "SELECT (NULLIF(reltuples, -1) / GREATEST(relpages, 1) * pg_relation_size(oid)"
    " / current_setting('block_size')::int)::bigint FROM pg_class WHERE oid = '{}'::regclass",
}
# The sampled rows, as fractions of the table. Multiples of the golden ratio coincide with no
# pattern in the data, as equal steps can.
SAMPLE = [n * 0.6180339887498949 % 1 for n in range(1_000)]
_SAMPLE_JSON = json.dumps(SAMPLE)


class RowCount(NamedTuple):
    """A number of rows; if not `exact`, an estimate that is above the limit of counting."""

    number: int
    exact: bool


class Counter:
    """Counts the rows of a queryset; its statements are compiled once for any number of counts."""

    def __init__(self, queryset: QuerySet) -> None:
        self._rows = queryset.order_by()
        self._keys = Compiled(lambda _: self._rows.values_list("pk"))

    def count(self, limit: int = EXACT_COUNT_LIMIT) -> RowCount:
        """Return the number of rows: exact up to `limit`, an estimate above it.

        Runs at most two statements, one for all rows of a table; each reads about `limit` matching
        rows at most.
        """
        estimate = f"CASE WHEN COUNT(*) > {limit} THEN ({self._all_rows}) END"
        question = f"SELECT COUNT(*), {estimate} FROM ({{}} LIMIT {limit + 1}) counted"  # noqa: S608
        found = self._keys.run_within(question)
        number, rows = found[0] if found else (0, None)
        if number <= limit:
            return RowCount(number, exact=True)
        if rows is None:
            rows = self._planned() if connection.vendor == "postgresql" else self._sampled()
        return RowCount(max(number, rows), exact=False)

    @property
    def _all_rows(self) -> str:
        """The SQL of the number of rows of a table without a condition; NULL if there is one."""
        return "NULL" if self._rows.query.where else ALL_ROWS[connection.vendor].format(self._table)

    def _planned(self) -> int:
        """Return the number of rows that PostgreSQL's planner expects."""
        ((plan,),) = self._keys.run_within("EXPLAIN (FORMAT JSON) {}")
        return int(plan[0]["Plan"]["Plan Rows"])

    def _sampled(self) -> int:
        """Return an estimate for SQLite, from rows that are spread evenly over the table."""
        question = f"SELECT COUNT(*), ({self._last_row}) FROM ({{}}) sampled"  # noqa: S608
        ((found, rows),) = self._sample.run_within(question)
        sampled = {int(share * rows) for share in SAMPLE}
        return rows * found // len(sampled)

    @property
    def _last_row(self) -> str:
        return LAST_ROW.format(self._table)

    @property
    def _table(self) -> str:
        return connection.ops.quote_name(self._rows.model._meta.db_table)

    @cached_property
    def _sample(self) -> Compiled:
        alias = connection.ops.quote_name(self._rows.query.get_initial_alias())
        rowid = RawSQL(f"{alias}.rowid", (), BigIntegerField())  # noqa: S611
        numbers = (
            f"SELECT 1 + CAST(value * ({self._last_row}) AS INTEGER) "  # noqa: S608
            "FROM json_each(%s)"
        )
        is_sampled = In(rowid, RawSQL(numbers, [_SAMPLE_JSON]))  # noqa: S611
        return Compiled(lambda _: self._rows.filter(is_sampled).values_list("pk").distinct())


def count_rows(queryset: QuerySet, limit: int = EXACT_COUNT_LIMIT) -> RowCount:
    """Return the number of rows of a queryset; see `Counter.count`."""
    return Counter(queryset).count(limit)
