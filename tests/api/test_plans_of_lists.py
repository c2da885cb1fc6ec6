"""Lists are read by an index: no table is gone through, and nothing is sorted. No time is taken."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.builders import make_model, make_plan, make_samples

pytestmark = pytest.mark.postgresql

KEY = "6f1b2c3d-0000-4000-8000-000000000000"
# Lists as they are asked for, by resource: orders and filters of columns.
LISTS = {
    "task": [
        *("", "ordering=-creation_date", "ordering=start_date", "ordering=-end_date"),
        *("ordering=key", "ordering=owner", "ordering=-rank", "ordering=status", "ordering=tag"),
        *("ordering=compute_plan_key", "owner=MyOrg1MSP", "worker=MyOrg1MSP", "tag=a", "rank=3"),
        *("status=STATUS_DONE", f"function_key={KEY}", f"compute_plan_key={KEY}"),
    ],
    "compute_plan": [
        *("", "ordering=name", "ordering=-start_date", "ordering=end_date", "ordering=status"),
        *("ordering=tag", "owner=MyOrg1MSP", "name=a", "tag=a", "status=PLAN_STATUS_DONE"),
    ],
    "data_sample": ["", "ordering=-creation_date", "owner=MyOrg1MSP"],
    "model": ["", "ordering=-creation_date", "owner=MyOrg1MSP"],
    "performance": ["ordering=-creation_date"],
    "news_feed": [""],
}
CASES = [(resource, query) for resource, queries in LISTS.items() for query in queries]


def _plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            # A few rows are sorted faster than looked up; can they come sorted?
            cursor.execute("SET LOCAL enable_sort = off")
            cursor.execute(f"EXPLAIN {sql}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def _pages_plan(api, url: str) -> tuple[str, str | None]:
    """How the rows of a page are read, and the page that follows."""
    with CaptureQueriesContext(connection) as captured:
        page = api.get(url).json()
    (sql,) = [item["sql"] for item in captured if re.search(r"ORDER BY.* LIMIT", item["sql"])][:1]
    # The rows of a first page are chosen inside the statement that reads what belongs to them.
    chosen = re.search(r" IN \((SELECT .*? LIMIT \d+)\)", sql)
    return _plan_of(chosen[1] if chosen else sql), page["next"]


# What a plan says of a table that is gone through (SQLite, PostgreSQL), or of a sort.
SLOW = re.compile(r"SCAN assets_(?!.* USING )|TEMP B-TREE|Seq Scan|Sort", re.M)


@pytest.mark.parametrize(("resource", "query"), CASES)
def test_a_list_is_read_by_an_index(resource, query, world, api):
    for _ in range(3):
        task = world.registered(world.task(tag="a"))
        make_model(task.key)
        make_plan(world.alice, name="a", tag="a")
        make_samples(world.alice, world.dataset.key)
    plan, following = _pages_plan(api, f"/api/{resource}/?page_size=1&{query}")
    assert not SLOW.search(plan), plan
    if following:
        plan, _ = _pages_plan(api, following)
        assert not SLOW.search(plan), plan


@pytest.mark.parametrize("query", ["", "important_news_only=true", "timestamp_after=2026-01-01"])
def test_news_are_found_without_events_of_others(query, world, api):
    """By the index that has nothing but news, however many tasks have come and gone."""
    make_plan(world.alice, name="a")
    plan, _ = _pages_plan(api, f"/api/news_feed/?page_size=1&{query}")
    assert "event_news" in plan, plan
