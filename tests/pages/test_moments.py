"""Moments: every page says them in UTC, by one element that a script turns to the viewer's zone."""

import re
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse

from tests.builders import make_one_of_each

DAY = timedelta(days=1)
# At no time is it the same day in both and in UTC.
EAST, WEST = "Pacific/Kiritimati", "Etc/GMT+12"
DATE, TIME = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d:\d\d"
LOOKS = {"": "", "exact": " data-exact"}
OTHERWISE = re.compile(rf"{DATE}|\w+\.? \d+, \d{{4}}, \d+|\d ?\w+ ago")
LISTS = ("datasets", "data-samples", "functions", "compute-plans", "tasks", "activity", "users")
CHANGE_LISTS = ("dataset", "datasample", "function", "computeplan", "task", "organization", "user")


def assert_moments(html, look=""):
    """There are moments, and no other element says when something was."""
    wanted = rf'<time class="moment" datetime="({DATE})T({TIME})Z"{LOOKS[look]}>\1 \2 UTC</time>'
    assert re.search(wanted, html)
    text = re.sub(r"<time.*?</time>|<[^>]+>", " ", html)
    assert not OTHERWISE.search(text)


@pytest.fixture
def study(alice):
    return make_one_of_each(alice)


@pytest.mark.parametrize(
    ("page", "look"),
    [
        *((name, "") for name in ("home", *LISTS, "admin:index")),
        *((f"admin:assets_{kind}_changelist", "") for kind in CHANGE_LISTS),
        ("audit", "exact"),
        ("admin:assets_event_changelist", "exact"),
    ],
)
def test_lists_say_moments_in_utc(session_of, ada, study, page, look):
    assert_moments(session_of(ada).get(reverse(page)).content.decode(), look)


@pytest.mark.parametrize("kind", ["dataset", "data-sample", "function", "compute-plan", "task"])
@pytest.mark.parametrize("interface", ["{}", "admin:assets_{}_change"])
def test_each_asset_says_when_it_was_registered(session_of, ada, study, kind, interface):
    name = kind if interface == "{}" else interface.format(kind.replace("-", ""))
    url = reverse(name, args=[study[kind].pk])
    assert_moments(session_of(ada).get(url).content.decode(), "exact")


def test_a_moment_that_has_not_come(session_of, alice, study):
    html = session_of(alice).get(reverse("task", args=[study["task"].pk])).content.decode()
    assert '<dt>Started</dt><dd><span class="muted">not yet</span></dd>' in html


@pytest.mark.parametrize("zone", [EAST, WEST, "", "Europe", "../localtime", "\0"])
def test_days_are_those_of_the_zone_that_is_named(session_of, alice, study, zone):
    browser = session_of(alice)
    is_known = zone in (EAST, WEST)
    day = study["dataset"].creation_date.astimezone(ZoneInfo(zone) if is_known else UTC).date()
    for query, is_found in (
        ({"after": day}, True),
        ({"after": day + DAY}, False),
        ({"before": day}, True),
        ({"before": day - DAY}, False),
    ):
        response = browser.get(reverse("datasets"), {**query, "tz": zone})
        assert bool(response.context["part"].records) == is_found
        (chip,) = response.context["chips"]
        assert chip[1].endswith(f" ({zone if is_known else 'UTC'})")


@pytest.mark.parametrize(
    "query",
    [
        {"after": "0001-01-01", "tz": "Asia/Tokyo"},
        {"before": "9999-12-31", "tz": "America/New_York"},
        {"tz": "Asia/Tokyo"},
    ],
)
@pytest.mark.parametrize("page", ["data-samples", "functions", "compute-plans", "tasks"])
def test_the_first_day_and_the_last_one(session_of, alice, study, page, query):
    response = session_of(alice).get(reverse(page), query)
    assert response.context["part"].records
    assert len(response.context["chips"]) == len(query) - 1
