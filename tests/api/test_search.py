"""Search by words, and by what metadata say. Contract 2.0."""

import json

import pytest

from tests.builders import (
    make_dataset,
    make_function,
    make_plan,
)

pytestmark = pytest.mark.postgresql

# --- Search --------------------------------------------------------------------------------------

MATCHES = {
    "blood": "Blood counts,Blood and scans",
    "BLOOD": "Blood counts,Blood and scans",
    "oo": "Blood counts,Blood and scans",
    "blood scans": "Blood and scans",
    "scans,blood": "Blood and scans",
    " blood  , scans ": "Blood and scans",
    '"blood counts"': "Blood counts",
    '"counts blood"': "",
    '"d c"': "Blood counts",
    '"blood"': "Blood counts,Blood and scans",
    'blood "': "",
    '6" scans': '6" scans',
    "it's": "It's (all)",
    "(all)": "It's (all)",
    "100%": "100% _scans_",
    "_": "100% _scans_",
    "%": "100% _scans_",
    "\\": "",
    "té": "Été",
    "nothing": "",
    ",": "Blood counts,Blood and scans,6\" scans,It's (all),100% _scans_,Été",
}
NAMES = ["Blood counts", "Blood and scans", '6" scans', "It's (all)", "100% _scans_", "Été"]


@pytest.mark.parametrize("resource", ["data_manager", "function", "compute_plan"])
def test_match(resource, world, api):
    make = {"data_manager": make_dataset, "function": make_function, "compute_plan": make_plan}
    for name in NAMES:
        make[resource](world.alice, name=name)
    found = {
        text: ",".join(
            item["name"] for item in api.get(f"/api/{resource}/", {"match": text}).json()["results"]
        )
        for text in MATCHES
    }
    assert found == MATCHES


# --- Metadata ------------------------------------------------------------------------------------

METADATA = [
    {"site": "Paris", "phase": "one", "note": ""},
    {"site": "Paris north", "phase": "two"},
    {"site": "paris", "per cent": "100%"},
    {"phase": "one"},
    {},
]
ALL = {0, 1, 2, 3, 4}


def _is(key, value):
    return {"key": key, "type": "is", "value": value}


def _contains(key, value):
    return {"key": key, "type": "contains", "value": value}


def _exists(key, **extra):
    return {"key": key, "type": "exists", **extra}


# Conditions, and which of the five plans meet them all.
CONDITIONS = [
    ([_is("site", "Paris")], {0}),
    ([_is("site", "Paris north")], {1}),
    ([_is("site", "Parisnorth")], {1}),
    ([_is("site", "par")], set()),
    ([_is("note", "")], {0}),
    ([_is("Site", "Paris")], set()),
    ([_contains("site", "paris")], {0, 1, 2}),
    ([_contains("site", "is n")], {1}),
    ([_contains("site", "isn")], {1}),
    ([_contains("site", "%")], set()),
    ([_contains("percent", "%")], {2}),
    ([_contains("per cent", "100_")], set()),
    ([_contains("site", "")], {0, 1, 2}),
    ([_exists("phase")], {0, 1, 3}),
    ([_exists("phase", value="ignored")], {0, 1, 3}),
    ([_exists("nothing")], set()),
    ([_exists("site"), _is("phase", "one")], {0}),
    ([_is("site", "Paris"), _is("site", "paris")], set()),
    ([], ALL),
    ([{"key": "site", "type": "near", "value": "Paris"}], ALL),
    ([{"key": "site", "type": "near", "value": ""}, _exists("phase")], {0, 1, 3}),
    ([{"type": "is", "value": "Paris"}], ALL),
    ([{"key": "site", "value": "Paris"}], ALL),
    (["site"], ALL),
    ("site", ALL),
    (5, ALL),
    ({"key": "site", "type": "exists"}, ALL),
    ([{"key": "site", "type": ["is"], "value": "Paris"}], ALL),
    ([_is(5, "Paris")], set()),
    ([_exists("a.b")], set()),
    ([_exists('a"b')], set()),
]


@pytest.fixture
def described(world) -> list[str]:
    """Keys of plans with different metadata."""
    return [str(make_plan(world.alice, metadata=metadata).key) for metadata in METADATA]


@pytest.mark.parametrize("compact", [False, True], ids=["as typed", "without spaces"])
def test_metadata(compact, described, api):
    """The SDK takes every space out of the text, also those of keys and values."""
    for conditions, expected in CONDITIONS:
        text = json.dumps(conditions)
        text = text.replace(" ", "") if compact else text
        items = api.get("/api/compute_plan/", {"metadata": text}).json()["results"]
        assert {described.index(item["key"]) for item in items} == expected, text


@pytest.mark.parametrize("text", ["{", "nothing", "", "[", '[{"key":', "null", "NaN"])
def test_metadata_that_cannot_be_read(text, described, api):
    assert api.get("/api/compute_plan/", {"metadata": text}).json()["count"] == len(METADATA)


@pytest.mark.parametrize("text", [json.dumps([_is("a", "\x00")]), json.dumps([_exists("\x00")])])
def test_metadata_that_no_database_has(text, described, api):
    answer = api.get("/api/compute_plan/", {"metadata": text})
    assert (answer.status_code, answer.json()["count"]) == (200, 0)
