"""How many rows a list has: counted while they are few, estimated where counting would scan."""

import json
from functools import cached_property
from typing import NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.lookups import In

from .compiled import Compiled

# So many rows are counted in a few milliseconds, by an index.
EXACT_COUNT_LIMIT = 10_000
# The number of SQLite's last row of a table. Rows are numbered in the order of their insertion, and
# assets are never deleted: it is how many there are.
LAST_ROW = "SELECT MAX(rowid) FROM {}"
# Where SQLite looks into a table, in parts of its length. Multiples of the golden ratio meet no
# pattern in the data, as equal steps may.
SAMPLE = [n * 0.6180339887498949 % 1 for n in range(1_000)]
_SAMPLE_JSON = json.dumps(SAMPLE)


class RowCount(NamedTuple):
    """A number of rows; not `exact`: an estimate, which is above the limit of counting."""

    number: int
    exact: bool


class Counter:
    """Counts the rows of one queryset, now and again: its statements are compiled once."""

    def __init__(self, queryset: QuerySet) -> None:
        self._rows = queryset.order_by()
        self._keys = Compiled(lambda _: self._rows.values_list("pk"))

    def count(self, limit: int = EXACT_COUNT_LIMIT) -> RowCount:
        """Return how many rows there are: exactly up to a limit, above it as estimated.

        At most two statements, neither of which reads more than some `limit` rows that match.
        """
        few = self._keys.told(f"SELECT COUNT(*) FROM ({{}} LIMIT {limit + 1}) counted")  # noqa: S608
        number = few[0][0] if few else 0
        if number <= limit:
            return RowCount(number, exact=True)
        estimate = self._planned if connection.vendor == "postgresql" else self._sampled
        return RowCount(max(number, estimate()), exact=False)

    def _planned(self) -> int:
        """Return how many rows PostgreSQL's planner expects, from the statistics of the columns."""
        ((plan,),) = self._keys.told("EXPLAIN (FORMAT JSON) {}")
        return int(plan[0]["Plan"]["Plan Rows"])

    def _sampled(self) -> int:
        """Return how many rows SQLite has, judged by rows spread evenly over the table."""
        if not self._rows.query.where:
            with connection.cursor() as cursor:
                cursor.execute(self._last_row)
                return cursor.fetchone()[0]
        question = f"SELECT COUNT(*), ({self._last_row}) FROM ({{}}) sampled"  # noqa: S608
        ((found, rows),) = self._sample.told(question)
        looked_at = {int(share * rows) for share in SAMPLE}
        return rows * found // len(looked_at)

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
        looked_at = In(rowid, RawSQL(numbers, [_SAMPLE_JSON]))  # noqa: S611
        return Compiled(lambda _: self._rows.filter(looked_at).values_list("pk").distinct())


def count_rows(queryset: QuerySet, limit: int = EXACT_COUNT_LIMIT) -> RowCount:
    """Return how many rows a queryset has: see `Counter.count`."""
    return Counter(queryset).count(limit)
