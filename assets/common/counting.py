"""How many rows a list has: counted while they are few, estimated where counting would scan."""

import json
from typing import NamedTuple

from django.db import connection
from django.db.models import BigIntegerField, Count, QuerySet
from django.db.models.expressions import RawSQL

from .lookups import AnyOf

# So many rows are counted in a few milliseconds, by an index.
LIMIT = 10_000
SAMPLE = 1_000


class Counted(NamedTuple):
    """A number of rows; not `exact`: an estimate, which is above the limit of counting."""

    number: int
    exact: bool


def count_of(queryset: QuerySet, limit: int = LIMIT) -> Counted:
    """Return how many rows there are: exactly up to `limit`, above it as estimated.

    At most two statements, neither of which reads more than some `limit` rows that match.
    """
    rows = queryset.order_by()
    number = rows[: limit + 1].count()
    if number <= limit:
        return Counted(number, exact=True)
    estimate = _planned if connection.vendor == "postgresql" else _sampled
    return Counted(max(number, estimate(rows)), exact=False)


def _planned(rows: QuerySet) -> int:
    """Return how many rows PostgreSQL's planner expects, from the statistics of the columns."""
    plan = json.loads(rows.values("pk").explain(format="json"))
    return int(plan[0]["Plan"]["Plan Rows"])


def _sampled(rows: QuerySet) -> int:
    """Return how many rows SQLite has, judged by rows spread evenly over the table.

    Rows are numbered in the order of their insertion, and assets are never deleted, so the last
    number is how many there are.
    """
    quote = connection.ops.quote_name
    table = quote(rows.model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT MAX(rowid) FROM {table}")  # noqa: S608
        last = cursor.fetchone()[0] or 0
    if not rows.query.where:
        return last
    # Multiples of the golden ratio meet no pattern in the data, as equal steps may.
    numbers = {1 + int(n * 0.6180339887498949 % 1 * last) for n in range(SAMPLE)}
    rowid = RawSQL(f"{quote(rows.query.get_initial_alias())}.rowid", (), BigIntegerField())  # noqa: S611
    found = rows.filter(AnyOf(rowid, sorted(numbers))).aggregate(found=Count("pk", distinct=True))
    return last * found["found"] // max(1, len(numbers))
