"""Long lists: from part to part, there and back."""

import pytest
from django.urls import reverse

from assets.common.db import pagination
from tests.builders import make_dataset

DATASETS = reverse("datasets")
COUNT = 60


@pytest.fixture
def browser(session_of, alice):
    for number in range(COUNT):
        make_dataset(alice, name=f"{number:02}")
    return session_of(alice)


def seen(response):
    return [row.record.name for row in response.context["table"].page]


def walk(browser, query, way):
    """Follow a link of the page until there is none; return the names on each page."""
    found = []
    while query is not None and len(found) < COUNT:
        response = browser.get(f"{DATASETS}{query}")
        found.append(seen(response))
        query = response.context["links"].get(way)
    return found


NEWEST = [f"{number:02}" for number in reversed(range(COUNT))]
PAGES = [NEWEST[:25], NEWEST[25:50], NEWEST[50:]]


@pytest.mark.parametrize(
    ("order", "pages"),
    [
        ("", PAGES),
        ("sort=name", [sorted(NEWEST)[:25], sorted(NEWEST)[25:50], sorted(NEWEST)[50:]]),
        ("sort=type", [sorted(NEWEST)[:25], sorted(NEWEST)[25:50], sorted(NEWEST)[50:]]),
    ],
)
def test_every_row_is_on_one_page(browser, order, pages):
    if order == "sort=type":
        # All tie, so their keys order them: only that each is seen once is known.
        found = [name for page in walk(browser, f"?{order}", "next") for name in page]
        assert sorted(found) == pages[0] + pages[1] + pages[2]
        return
    assert walk(browser, f"?{order}", "next") == pages
    assert walk(browser, f"?{order}&page=last", "previous") == pages[::-1]
    assert [seen(browser.get(f"{DATASETS}?{order}&page={n}")) for n in (1, 2, 3)] == pages


def test_far_pages_are_skipped_to_by_key(browser, monkeypatch):
    monkeypatch.setattr(pagination, "MAX_SKIPPED_ROWS", 0)
    assert [seen(browser.get(f"{DATASETS}?page={n}")) for n in (1, 2, 3, 9)] == [*PAGES, PAGES[2]]


def test_what_is_inserted_meanwhile_moves_nothing(browser, alice):
    onward = browser.get(DATASETS).context["links"]["next"]
    make_dataset(alice, name="new")
    assert seen(browser.get(f"{DATASETS}{onward}")) == PAGES[1]


def test_a_page_says_where_it_is(browser):
    texts = [browser.get(f"{DATASETS}?page={page}").content.decode() for page in ("2", "last")]
    assert "26 to 50 of 60" in texts[0]
    assert "Page 2 of 3" in texts[0]
    assert "51 to 60 of 60" in texts[1]


@pytest.mark.parametrize(
    "place", ["x", "[]", "[1,2]", '["2020","x"]', "{}", "[null,null]", "9" * 9]
)
@pytest.mark.parametrize("name", ["from", "to"])
def test_places_that_are_none_are_ignored(browser, name, place):
    response = browser.get(DATASETS, {name: place})
    assert (response.status_code, seen(response)) == (200, PAGES[0])


def test_a_script_that_filters_is_sent_the_rows_only(browser):
    headers = {"HX-Request": "true", "HX-Target": "results-table"}
    text = browser.get(f"{DATASETS}?q=07", headers=headers).content.decode()
    assert text.strip().startswith('<div id="results-table"')
    assert ">07</a>" in text
    assert "<nav" not in text
