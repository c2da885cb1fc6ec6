"""Lists: pages and order. Contract 1.6, 2.0."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from assets.compute.models import Task
from tests.builders import (
    make_plan,
    make_samples,
)

pytestmark = pytest.mark.postgresql

LISTS = [
    "data_manager",
    "data_sample",
    "function",
    "compute_plan",
    "task",
    "model",
    "performance",
    "task_profiling",
    "news_feed",
]


@pytest.fixture
def plans(alice):
    return [make_plan(alice, name=f"plan {n}") for n in range(5)]


def _pages(api, url):
    """Follow `next` to the end, as the SDK does."""
    pages = []
    while url:
        pages.append(api.get(url).json())
        url = pages[-1]["next"]
    return pages


@pytest.mark.parametrize("resource", LISTS)
def test_an_empty_list(resource, api):
    assert api.get(f"/api/{resource}/").json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }


def test_pages(plans, api):
    pages = _pages(api, "/api/compute_plan/?page_size=2")
    assert [len(page["results"]) for page in pages] == [2, 2, 1]
    assert {page["count"] for page in pages} == {5}
    names = [plan["name"] for page in pages for plan in page["results"]]
    assert names == [plan.name for plan in plans]
    assert pages[0]["previous"] is None
    assert pages[1]["previous"] == "http://testserver/api/compute_plan/?page_size=2"
    previous = "http://testserver/api/compute_plan/?page=2&page_size=2"
    assert re.sub("before=[^&]+&", "", pages[2]["previous"]) == previous


def test_next_repeats_no_parameter(plans, api):
    """The SDK sends its parameters again on top of `next`; the last value of each counts."""
    url = "/api/compute_plan/?page_size=1&match=plan&ordering=-creation_date"
    for page in range(2, 6):
        following = api.get(url).json()["next"]
        query = parse_qsl(urlsplit(following).query)
        assert [(name, value) for name, value in query if name != "after"] == [
            ("match", "plan"),
            ("ordering", "-creation_date"),
            ("page", str(page)),
            ("page_size", "1"),
        ]
        assert len(query) == 5
        url = f"{following}&match=plan&ordering=-creation_date"
    assert api.get(url).json()["next"] is None


def test_next_keeps_what_is_odd_about_a_value(plans, api):
    following = api.get(
        "/api/compute_plan/", {"page_size": 1, "match": 'a b&c,"é"', "name": "plan 0,plan 1"}
    ).json()
    assert following["count"] == 0
    page = api.get("/api/compute_plan/", {"page_size": 1, "name": "plan 0,plan 1"}).json()
    assert api.get(page["next"]).json()["results"][0]["name"] == "plan 1"


@pytest.mark.parametrize("headers", [{}, {"x-forwarded-proto": "https", "x-forwarded-host": "h"}])
def test_links_are_absolute(headers, plans, api):
    page = api.get("/api/compute_plan/?page_size=1", headers=headers).json()
    assert page["next"].startswith("http://testserver/api/compute_plan/?")


def test_links_name_the_proxy_that_clients_use(plans, api, settings):
    settings.USE_X_FORWARDED_HOST = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.ALLOWED_HOSTS = ["registrar.example"]
    headers = {"x-forwarded-proto": "https", "x-forwarded-host": "registrar.example"}
    page = api.get("/api/compute_plan/?page_size=1", headers=headers).json()
    assert page["next"].startswith("https://registrar.example/api/compute_plan/?")


@pytest.mark.parametrize("page", ["4", "0", "-1", "x", ""])
def test_a_page_that_is_none(page, plans, api):
    answer = api.get(f"/api/compute_plan/?page_size=2&page={page}")
    if page == "":
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize("resource", LISTS)
def test_beyond_the_end(resource, api):
    answer = api.get(f"/api/{resource}/?page=2")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."})


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("1", 1),
        ("10000", 10_000),
        ("10001", 10_000),
        ("0", 100),
        ("-1", 100),
        ("x", 100),
        ("", 100),
    ],
)
def test_page_size(asked, given, api, page_sizes):
    assert api.get(f"/api/compute_plan/?page_size={asked}").status_code == 200
    assert page_sizes == [given]


DEFAULT_SIZES = {
    **dict.fromkeys(LISTS, 100),
    "performance": 1000,
    "task_profiling": 1000,
    "compute_plan/{plan}/task": 100,
    "compute_plan/{plan}/functions": 100,
    "task/{task}/input_assets": 100,
    "task/{task}/output_assets": 100,
}


@pytest.mark.parametrize(("address", "size"), DEFAULT_SIZES.items())
def test_default_page_size(address, size, world, api, page_sizes):
    url = address.format(plan=world.plan.key, task=world.parent.key)
    assert api.get(f"/api/{url}/").status_code == 200
    assert page_sizes == [size]


# --- Order --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordering", ["", "creation_date", "-creation_date"])
def test_rows_of_one_moment_are_ordered_by_key(ordering, world, api):
    """Those of a batch share their date; pages must not overlap."""
    keys = [str(sample.key) for sample in make_samples(world.alice, world.dataset.key, count=9)]
    pages = _pages(api, f"/api/data_sample/?page_size=2&ordering={ordering}")
    listed = [item["key"] for page in pages for item in page["results"]]
    assert listed == sorted(keys, reverse=ordering.startswith("-"))


def test_the_order_of_nested_lists(world, api):
    world.registered(world.task(), world.task())
    plan = Task.objects.first().compute_plan_id
    for nested in ("task", "functions"):
        url = f"/api/compute_plan/{plan}/{nested}/"
        up = [item["key"] for item in api.get(f"{url}?ordering=key").json()["results"]]
        down = [item["key"] for item in api.get(f"{url}?ordering=-key").json()["results"]]
        assert up == sorted(up) == list(reversed(down))
