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
# The number of rows of a table in SQLite, which numbers rows as they are inserted: assets are never
# deleted.
LAST_ROW = "SELECT MAX(rowid) FROM {}"
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

        Runs at most two statements; each reads about `limit` matching rows at most.
        """
        few = self._keys.run_within(f"SELECT COUNT(*) FROM ({{}} LIMIT {limit + 1}) counted")  # noqa: S608
        number = few[0][0] if few else 0
        if number <= limit:
            return RowCount(number, exact=True)
        estimate = self._planned if connection.vendor == "postgresql" else self._sampled
        return RowCount(max(number, estimate()), exact=False)

    def _planned(self) -> int:
        """Return the number of rows that PostgreSQL's planner expects."""
        ((plan,),) = self._keys.run_within("EXPLAIN (FORMAT JSON) {}")
        return int(plan[0]["Plan"]["Plan Rows"])

    def _sampled(self) -> int:
        """Return an estimate for SQLite, from rows that are spread evenly over the table."""
        if not self._rows.query.where:
            with connection.cursor() as cursor:
                cursor.execute(self._last_row)
                return cursor.fetchone()[0]
        question = f"SELECT COUNT(*), ({self._last_row}) FROM ({{}}) sampled"  # noqa: S608
        ((found, rows),) = self._sample.run_within(question)
        sampled = {int(share * rows) for share in SAMPLE}
        return rows * found // len(sampled)

    @property
    def _last_row(self) -> str:
        return LAST_ROW.format(connection.ops.quote_name(self._rows.model._meta.db_table))

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
