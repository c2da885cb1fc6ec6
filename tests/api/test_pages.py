"""Pages that follow each other by the row they begin at, and how many rows there are.

Contract 1.6.
"""

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.common.api import pagination
from assets.common.db import counting
from assets.common.db.counting import count_rows
from assets.compute.models import ComputePlan, Task
from assets.compute.registration import register_tasks
from assets.compute.statuses import TaskStatus
from tests.builders import (
    MODEL_OUTPUT,
    PERFORMANCE_OUTPUT,
    PUBLIC,
    make_dataset,
    make_function,
    make_model,
    make_performance,
    make_plan,
    make_samples,
    set_status,
)
from tests.rules.world import world_of_cast

from .test_order import ORDERS

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("stocked", "db")]

ROWS = 5


@pytest.fixture(scope="module")
def stocked(shared_rows) -> None:
    """Five of everything: some tie in every column but the key, some have no dates."""
    now, world = timezone.now(), world_of_cast()
    for n in range(ROWS):
        actor = (world.alice, world.bob)[n % 2]
        name = f"name {n % 3}"
        dataset = make_dataset(actor, name=name, permissions=PUBLIC)
        make_samples(actor, dataset.key)
        function = make_function(
            actor, name=name, inputs=(), outputs=(MODEL_OUTPUT, PERFORMANCE_OUTPUT)
        )
        metadata = {"n": str(n % 3)} if n % 2 else {}
        plan = make_plan(actor, name=name, tag=f"tag {n % 2}", metadata=metadata)
        task = world.simple(function, compute_plan_key=plan.key)
        (key,) = register_tasks([task], actor)
        dates = {"start_date": now + timedelta(n // 2), "end_date": now + timedelta(n // 3)}
        if n % 3:
            set_status([key], TaskStatus.DONE, **dates)
            ComputePlan.objects.filter(pk=plan.pk).update(**dates)
        make_model(key)
        make_performance(key, n)


def follow(api, url: str, way: str = "next") -> list[dict]:
    pages = []
    while url:
        answer = api.get(url)
        assert answer.status_code == 200
        pages.append(answer.json())
        url = pages[-1][way]
    return pages


def rows_of(pages: list[dict]) -> list[dict]:
    return [row for page in pages for row in page["results"]]


def without_cursor(url: str) -> str:
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in CURSORS]
    return f"{parts.path}?{urlencode(query)}"


CURSORS = ("after", "before")
# Beside each field that a list is ordered by: several, and such as are no column.
ORDERINGS = [
    *((resource, field) for resource, fields in ORDERS.items() for field in fields.split()),
    ("compute_plan", "metadata__n"),
    ("task", "owner,tag"),
    ("task", "owner,-start_date"),
    ("task", "tag,end_date"),
    ("performance", "creation_date"),
    ("performance", "task_rank"),
    ("performance", "task_round"),
    ("news_feed", "timestamp"),
]


@pytest.mark.parametrize(("resource", "ordering"), ORDERINGS)
def test_every_row_once(resource, ordering, api):
    """By `next`, by number and on one page; and back by `previous`; in both directions."""
    descending = ",".join(f"-{field}".replace("--", "") for field in ordering.split(","))
    for asked in (ordering, descending):
        whole = api.get(f"/api/{resource}/?ordering={asked}").json()["results"]
        assert len(whole) >= ROWS
        url = f"/api/{resource}/?ordering={asked}&page_size=2"
        pages = follow(api, url)
        numbered = [api.get(f"{url}&page={n + 1}").json() for n in range(len(pages))]
        back = follow(api, pages[-1]["previous"], "previous")
        for walked in (pages, numbered, [*reversed(back), pages[-1]]):
            assert rows_of(walked) == whole, asked
            assert {page["count"] for page in walked} == {len(whole)}


@pytest.mark.parametrize("ordering", ["creation_date", "-creation_date", "name", "-start_date"])
def test_rows_that_come_meanwhile_move_none(ordering, world, api):
    before = rows_of(follow(api, f"/api/compute_plan/?ordering={ordering}"))
    url, seen = f"/api/compute_plan/?ordering={ordering}&page_size=2", []
    while url:
        page = api.get(url).json()
        seen += [row["key"] for row in page["results"]]
        url = page["next"]
        make_plan(world.alice, name="name 0") if len(seen) < ROWS else None
    assert len(seen) == len(set(seen))
    assert set(seen) >= {row["key"] for row in before}


ALTERED: dict[str, Callable[[str], str]] = {
    "no base64": lambda cursor: "ä",
    "no cursor": lambda cursor: "AAAA",
    "empty": lambda cursor: "",
    "cut": lambda cursor: cursor[:-3],
    "longer": lambda cursor: f"{cursor}AAAA",
    "changed": lambda cursor: f"{cursor[:-1]}{'A' if cursor[-1] != 'A' else 'B'}",
    "NUL": lambda cursor: "\0",
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
@pytest.mark.parametrize("way", CURSORS)
def test_a_cursor_that_cannot_be_read_is_ignored(way, alter, api):
    pages = follow(api, "/api/task/?page_size=2")
    url = pages[1]["next" if way == "after" else "previous"] or pages[2]["previous"]
    query = dict(parse_qsl(urlsplit(pages[2]["previous"] if way == "before" else url).query))
    number = int(query["page"])
    query[way] = alter(query[way])
    assert api.get("/api/task/", query).json()["results"] == pages[number - 1]["results"]


@pytest.mark.parametrize(
    "other",
    [
        {"ordering": "-creation_date"},
        {"ordering": "tag"},
        {"page": "2"},
        {"page_size": "3"},
        {"owner": "MyOrg1MSP"},
    ],
    ids=str,
)
def test_a_cursor_of_another_request_is_ignored(other, api):
    following = follow(api, "/api/task/?page_size=2")[1]["next"]
    query = {**dict(parse_qsl(urlsplit(following).query)), **other}
    plain = {name: value for name, value in query.items() if name != "after"}
    answers = [api.get("/api/task/", params) for params in (query, plain)]
    assert answers[0].status_code == answers[1].status_code
    assert answers[0].json().get("results") == answers[1].json().get("results")


def test_a_cursor_of_another_list_is_ignored(api):
    query = urlsplit(follow(api, "/api/task/?page_size=2")[1]["next"]).query
    found = api.get(f"/api/compute_plan/?{query}").json()["results"]
    assert found == api.get("/api/compute_plan/?page_size=2&page=3").json()["results"]


MADE_UP = {
    "no list": b"1",
    "empty": b"[]",
    "no count": b'["a", "2020-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"]',
    "a count below zero": b'[-1, "2020-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"]',
    "too few values": b'[9, "2020-01-01T00:00:00Z"]',
    "no date": b'[9, "x", "00000000-0000-0000-0000-000000000000"]',
    "no key": b'[9, "2020-01-01T00:00:00Z", {}]',
}


@pytest.mark.parametrize("way", CURSORS)
@pytest.mark.parametrize("content", MADE_UP.values(), ids=MADE_UP)
def test_a_made_up_cursor_is_ignored(content, way, api):
    """A client can compute the digest of its parameters: what follows it is checked."""
    params = {"page": "2", "page_size": "2"}
    digest = pagination._digest(params, way, "/api/task/")
    cursor = pagination._as_text(digest + content)
    answers = [api.get("/api/task/", asked).json() for asked in (params, {**params, way: cursor})]
    assert answers[0]["results"] == answers[1]["results"]
    assert answers[1]["count"] == ROWS


def test_a_made_up_cursor_finds_rows_of_its_own_list_only(api):
    params = {"owner": "MyOrg1MSP", "page": "2", "page_size": "2"}
    digest = pagination._digest(params, "after", "/api/task/")
    position = b'[0, "2000-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"]'
    made_up = {**params, "after": pagination._as_text(digest + position)}
    first = api.get("/api/task/", {**params, "page": "1"}).json()["results"]
    assert api.get("/api/task/", made_up).json()["results"] == first


def test_rows_that_left_a_list_end_it(api):
    """Whoever follows `next` gets no error when there is nothing more."""
    page = api.get("/api/task/?status=STATUS_DONE&page_size=2").json()
    Task.objects.update(status=TaskStatus.CANCELED)
    last = api.get(page["next"])
    assert (last.status_code, last.json()["results"], last.json()["next"]) == (200, [], None)


def test_the_last_page_by_its_name(api):
    assert len(api.get("/api/task/?page_size=3&page=last").json()["results"]) == ROWS % 3


@pytest.mark.parametrize("page", ["9" * 18, "9" * 40, "9" * 5000, "1.5", "nan"])
def test_a_page_that_no_list_has(page, api):
    assert api.get(f"/api/task/?page={page}").status_code == 404


# --- How many ------------------------------------------------------------------------------------


@pytest.fixture
def small_limit(monkeypatch) -> None:
    monkeypatch.setattr(pagination, "EXACT_COUNT_LIMIT", 3)


def test_few_rows_are_counted():
    assert count_rows(Task.objects.all()) == (ROWS, True)
    assert count_rows(Task.objects.filter(tag="nothing")) == (0, True)
    assert count_rows(Task.objects.all(), limit=ROWS) == (ROWS, True)


MANY = {
    "all": lambda: Task.objects.order_by("-creation_date"),
    "of a column": lambda: Task.objects.filter(rank=0),
    "by a join": lambda: Task.objects.filter(function__name__startswith="name"),
    "by rows of theirs": lambda: Task.objects.filter(outputs__identifier="model"),
    "with others": lambda: Task.objects.select_related("function").exclude(status="x"),
    "as values": lambda: Task.objects.values("key", "function__name"),
}


@pytest.mark.parametrize("rows", MANY.values(), ids=MANY)
def test_many_rows_are_estimated(rows):
    """From statistics, or from a sample, which here is the whole table."""
    number, exact = count_rows(rows(), limit=3)
    assert not exact
    assert number >= 4
    if connection.vendor == "sqlite":
        assert number == ROWS


def test_a_count_is_never_less_than_the_page_proves(api, small_limit, monkeypatch):
    monkeypatch.setattr(counting.Counter, "_all_rows", "SELECT 0")
    counts = [page["count"] for page in follow(api, "/api/task/?page_size=2")]
    assert counts == [4, 5, 5]


def _statements(api, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        assert api.get(url).status_code == 200
    return [query["sql"] for query in captured]


def _counting(statements: list[str]) -> list[str]:
    return [sql for sql in statements if "COUNT(" in sql or "EXPLAIN" in sql or "MAX(" in sql]


@pytest.mark.parametrize("resource", [*ORDERS, "performance", "news_feed"])
@pytest.mark.parametrize("query", ["page_size=2", "page_size=2&owner=MyOrg1MSP,MyOrg2MSP"])
def test_only_the_first_of_several_pages_counts(query, resource, api):
    url = f"/api/{resource}/?{query}"
    following = api.get(url).json()["next"]
    first, second = _statements(api, url), _statements(api, following)
    assert len(_counting(first)) == 1
    assert not _counting(second)
    # Pages that follow read the keys of a list of assets before their objects.
    assert len(first) == len(second) + (resource in ("performance", "news_feed"))


def test_what_is_shown_on_one_page_is_not_counted(api):
    assert not _counting(_statements(api, "/api/task/?owner=MyOrg1MSP"))


@pytest.mark.parametrize(("query", "statements"), [("", 1), ("&owner=MyOrg1MSP,MyOrg2MSP", 2)])
@pytest.mark.parametrize("resource", ["data_sample", "function", "compute_plan", "task"])
def test_a_long_list_is_estimated(resource, query, statements, api, small_limit):
    """By two statements at most, whatever its length."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    url = f"/api/{resource}/?page_size=2{query}"
    assert len(_counting(_statements(api, url))) == statements
    assert api.get(url).json()["count"] > pagination.EXACT_COUNT_LIMIT


def test_no_page_skips_rows(api):
    """A deep page costs what the first one does."""
    for url in [page["next"] for page in follow(api, "/api/task/?page_size=2")][:-1]:
        assert not [sql for sql in _statements(api, url) if "OFFSET" in sql]
        assert [sql for sql in _statements(api, without_cursor(url)) if "OFFSET" in sql]


# --- Links for who sends its parameters again -----------------------------------------------------


def test_a_link_for_the_sdk_leaves_long_filters_to_it(api):
    own = [str(key) for key in Task.objects.values_list("key", flat=True)]
    asked = {"key": ",".join([*own, *(str(uuid4()) for _ in range(200))]), "page_size": "2"}
    found, url = [], f"/api/task/?{urlencode(asked)}"
    while url:
        page = api.get(url).json()
        found += [item["key"] for item in page["results"]]
        url = page["next"] and f"{page['next']}&{urlencode(asked)}"
        assert len(page["next"] or "") < 500
    assert sorted(found) == sorted(own)


def test_whoever_follows_such_a_link_without_them_is_refused(api):
    key = Task.objects.values_list("key", flat=True)
    asked = urlencode({"key": ",".join(map(str, [*key, *(uuid4() for _ in range(200))]))})
    lean = api.get(f"/api/task/?{asked}&page_size=2").json()["next"]
    answer = api.get(lean)
    assert answer.status_code == 400
    assert "parameters of the first request" in answer.json()["detail"]
    # To others a link has all that it needs.
    whole_link = api.get(f"/api/task/?{asked}&page_size=2", HTTP_ACCEPT="application/json").json()
    assert api.get(whole_link["next"], HTTP_ACCEPT="application/json").json()["results"]
