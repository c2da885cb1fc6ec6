"""Lists that are requested again: always with the rows of now, and for the user who asks."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assets.common.api import query_cache
from assets.common.db import pagination
from tests.builders import make_plan

pytestmark = pytest.mark.postgresql

QUERIES = ["", "tag=a", "match=stud", "status=PLAN_STATUS_CREATED", "ordering=-name", "key=none"]


def _keys(api, url: str) -> list[str]:
    return [item["key"] for item in api.get(url).json()["results"]]


@pytest.mark.parametrize("query", QUERIES)
def test_a_list_that_was_asked_for_before_shows_what_came_since(query, world, api):
    url = f"/api/compute_plan/?{query}"
    make_plan(world.alice, name="study", tag="a")
    before = _keys(api, url)
    plan = make_plan(world.alice, name="study", tag="a")
    shown = query != "key=none"
    assert len(before) == shown
    assert sorted(_keys(api, url)) == sorted([*before, str(plan.key)] if shown else [])
    assert api.get(url).json()["count"] == 2 * shown
    # Of other sizes, too.
    assert len(_keys(api, f"{url}&page_size=1")) == shown
    assert api.get(f"{url}&page_size=1").json()["count"] == 2 * shown


def test_each_organisation_is_asked_in_its_own_words(world, api, bobs_api, client_of):
    make_plan(world.users["ada"], name="study")
    url = "/api/compute_plan/?creator=external"
    assert len(_keys(bobs_api, url)) == 1
    assert _keys(api, url) == []
    url = "/api/compute_plan/?creator=ada"
    assert len(_keys(api, url)) == 1
    assert _keys(bobs_api, url) == []


def test_each_dialect_is_asked_in_its_own_words(world, api):
    make_plan(world.alice)
    query = "compute_plan/?status=PLAN_STATUS_EMPTY"
    assert len(_keys(api, f"/api/sdk-0.50/{query}")) == 1
    assert api.get(f"/api/{query}").status_code == 400


def test_plans_are_not_mixed(world, api):
    task = world.registered(world.task())
    other = make_plan(world.alice)
    url = "/api/compute_plan/{}/task/?status=STATUS_WAITING_FOR_BUILDER_SLOT"
    plan = task.compute_plan_key
    assert _keys(api, url.format(plan)) == _keys(api, url.format(plan)) == [str(task.key)]
    assert _keys(api, url.format(other.key)) == []


def test_the_cache_has_a_limit(world, api, monkeypatch):
    monkeypatch.setattr(query_cache, "MAX_CACHED_LISTS", 3)
    for number in range(10):
        api.get(f"/api/compute_plan/?tag={number}")
        assert len(query_cache._listings) <= 3
    query_cache._listings.clear()
    api.get(f"/api/compute_plan/?tag={'x' * 2000}")
    assert not query_cache._listings


def test_the_second_time_is_the_same_statement(world, api):
    make_plan(world.alice, tag="a")
    make_plan(world.alice, tag="a")
    statements = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert api.get("/api/compute_plan/?tag=a&page_size=1").json()["count"] == 2
        statements.append([query["sql"] for query in captured])
    assert statements[0] == statements[1]


def test_threads_that_ask_for_other_sizes_do_not_mix_them(world, api, monkeypatch):
    """One asks while another is between making its statement and running it."""
    for _ in range(3):
        make_plan(world.alice, tag="a")
    url = "/api/compute_plan/?tag=a&page_size={}"
    api.get(url.format(1))
    make = pagination.Compiled

    def interrupted(build):
        monkeypatch.setattr(pagination, "Compiled", make)
        api.get(url.format(1))
        return make(build)

    monkeypatch.setattr(pagination, "Compiled", interrupted)
    assert len(_keys(api, url.format(2))) == 2
    assert len(_keys(api, url.format(1))) == 1
