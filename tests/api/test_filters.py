"""What lists keep of what they are asked for. Contract 2.0, 2.3 to 2.9, 2.14."""

import json
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.compute.models import ComputePlan
from assets.compute.registration import cancel_compute_plan
from assets.compute.statuses import TaskStatus
from tests.builders import (
    PUBLIC,
    make_dataset,
    make_function,
    make_model,
    make_plan,
    make_samples,
    only_to,
    set_status,
    training_task,
)
from tests.rules.world import A, B, C

FIRST_DAY = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=9)


@pytest.fixture
def two(world) -> SimpleNamespace:
    """Alice's things and Bob's: a dataset, a sample, a function, a plan and a task each.

    Bob's are public and have run; Alice's are private and wait.
    """
    things = {}
    for name, actor, permissions in (
        ("alices", world.alice, only_to()),
        ("bobs", world.bob, PUBLIC),
    ):
        dataset = make_dataset(
            actor,
            name=f"{name} data",
            permissions=permissions,
            logs_permission=permissions,
        )
        (sample,) = make_samples(actor, dataset.key)
        function = make_function(actor, name=f"{name} function", permissions=permissions)
        task = training_task(dataset, [sample], function, tag=f"{name} tag", metadata={"of": name})
        plan = make_plan(actor, task, name=f"{name} plan", tag=f"{name} tag", metadata={"of": name})
        things[name] = SimpleNamespace(
            dataset=dataset, sample=sample, function=function, plan=plan, task=task
        )
    bobs = things["bobs"]
    dates = {"start_date": FIRST_DAY, "end_date": FIRST_DAY + timedelta(seconds=90)}
    set_status([bobs.task.key], TaskStatus.DONE, **dates)
    ComputePlan.objects.filter(pk=bobs.plan.pk).update(status="PLAN_STATUS_DONE", **dates)
    for owner in things.values():
        owner.model = make_model(owner.task.key)
    return SimpleNamespace(**things)


RESOURCES = {
    "data_manager": "dataset",
    "data_sample": "sample",
    "function": "function",
    "compute_plan": "plan",
    "task": "task",
    "model": "model",
}


def found(api, resource, two, **params) -> str:
    """Whose thing the filtered list has."""
    answer = api.get(f"/api/{resource}/", params)
    assert answer.status_code == 200, answer.content
    keys = [item["key"] for item in answer.json()["results"]]
    assert len(keys) == len(set(keys)), "a row twice"
    owners = {str(getattr(two.alices, RESOURCES[resource]).key): "alice"}
    owners[str(getattr(two.bobs, RESOURCES[resource]).key)] = "bob"
    return " ".join(sorted(owners[key] for key in keys))


BOTH, ALICE, BOB, NONE = "alice bob", "alice", "bob", ""

# Filters whose value is a key or an id of Alice's; `{}` of the thing that is named.
BY_KEY = {
    "data_manager": {
        "key": "dataset",
        "data_sample_key": "sample",
        "compute_plan_key": "plan",
        "function_key": "function",
    },
    "data_sample": {
        "key": "sample",
        "dataset_key": "dataset",
        "compute_plan_key": "plan",
        "function_key": "function",
    },
    "function": {
        "key": "function",
        "compute_plan_key": "plan",
        "dataset_key": "dataset",
        "data_sample_key": "sample",
    },
    "compute_plan": {
        "key": "plan",
        "function_key": "function",
        "dataset_key": "dataset",
        "data_sample_key": "sample",
    },
    "task": {"key": "task", "compute_plan_key": "plan", "function_key": "function"},
    "model": {"key": "model", "compute_task_key": "task"},
}
KEY_FILTERS = [(name, param, of) for name, params in BY_KEY.items() for param, of in params.items()]


@pytest.mark.parametrize(("resource", "param", "of"), KEY_FILTERS)
def test_key_filter(resource, param, of, two, api):
    alices, bobs = (str(getattr(owner, of).key) for owner in (two.alices, two.bobs))
    expected = {
        alices: ALICE,
        f"{alices},{bobs}": BOTH,
        f"{alices},{uuid4()}": ALICE,
        f"{alices},x": ALICE,
        alices.upper(): ALICE,
        alices.replace("-", ""): ALICE,
        str(uuid4()): NONE,
        "x": NONE,
        "x,y": NONE,
        "": BOTH,
    }
    for value, whose in expected.items():
        assert found(api, resource, two, **{param: value}) == whose, value


# Filters by a text, with the value that finds Alice's.
BY_TEXT = [
    *((resource, "owner", A) for resource in RESOURCES),
    ("data_manager", "name", "alices data"),
    ("function", "name", "alices function"),
    ("compute_plan", "name", "alices plan"),
    ("compute_plan", "tag", "alices tag"),
    ("compute_plan", "creator", "alice"),
    ("compute_plan", "worker", A),
    ("task", "tag", "alices tag"),
    ("task", "worker", A),
]


@pytest.mark.parametrize(("resource", "param", "value"), BY_TEXT)
def test_text_filter(resource, param, value, two, api):
    bobs = value.replace("alice", "bob").replace(A, B)
    assert found(api, resource, two, **{param: value}) == ALICE
    assert found(api, resource, two, **{param: f"{value},{bobs}"}) == BOTH
    assert found(api, resource, two, **{param: f"{value},nobody"}) == ALICE
    assert found(api, resource, two, **{param: value[:-1]}) == NONE
    assert found(api, resource, two, **{param: ""}) == BOTH


@pytest.mark.parametrize(
    ("value", "whose"),
    [
        ("0", BOTH),
        ("1", NONE),
        ("0,1", BOTH),
        ("x", NONE),
        ("-1", NONE),
        ("0,x", BOTH),
        ("9" * 30, NONE),
    ],
)
def test_rank(value, whose, two, api):
    assert found(api, "task", two, rank=value) == whose


# --- Status --------------------------------------------------------------------------------------

STATUSES = [
    ("task", "STATUS_WAITING_FOR_BUILDER_SLOT", ALICE),
    ("task", "STATUS_DONE", BOB),
    ("task", "STATUS_DONE,STATUS_WAITING_FOR_BUILDER_SLOT", BOTH),
    ("task", "STATUS_FAILED", NONE),
    ("compute_plan", "PLAN_STATUS_CREATED", ALICE),
    ("compute_plan", "PLAN_STATUS_DONE", BOB),
    ("compute_plan", "PLAN_STATUS_DONE,PLAN_STATUS_CREATED", BOTH),
    ("compute_plan", "PLAN_STATUS_CANCELED", NONE),
    ("compute_plan", "", BOTH),
]


@pytest.mark.parametrize(("resource", "status", "whose"), STATUSES)
def test_status(resource, status, whose, two, api):
    assert found(api, resource, two, status=status) == whose


@pytest.mark.parametrize(
    ("resource", "status"),
    [
        ("task", "STATUS_NOTHING"),
        ("task", "PLAN_STATUS_DONE"),
        ("task", "STATUS_DOING"),
        ("compute_plan", "STATUS_DONE"),
        ("compute_plan", "PLAN_STATUS_TODO"),
        ("performance", "STATUS_DONE"),
    ],
)
def test_status_that_is_none(resource, status, api):
    answer = api.get(f"/api/{resource}/?status={status}")
    message = f"Select a valid choice. {status} is not one of the available choices."
    assert (answer.status_code, answer.json()) == (400, {"status": [message]})


# --- Permissions ---------------------------------------------------------------------------------


@pytest.fixture
def permitted(world) -> dict[str, str]:
    """Datasets under different permissions, by key, with what their name says of these."""
    given = {
        "private": only_to(),
        "to B": only_to(B),
        "to B and C": only_to(B, C),
        "public": PUBLIC,
    }
    for name, permissions in given.items():
        make_dataset(world.alice, name=name, permissions=permissions, logs_permission=permissions)
        make_function(world.alice, name=name, permissions=permissions)


PERMITTED = [
    ("can_process", A, "private, to B, to B and C, public"),
    ("can_process", B, "to B, to B and C, public"),
    ("can_process", f"{B},{C}", "to B and C, public"),
    ("can_process", f"{A},{B}", "to B, to B and C, public"),
    ("can_process", f"{B},{B}", "to B, to B and C, public"),
    ("can_process", "nobody", "public"),
    ("can_process", "", "private, to B, to B and C, public"),
    ("permissions", B, "to B, to B and C, public"),
    ("permissions", C, "to B and C, public"),
    ("permissions", f"{C},nobody", "to B and C, public"),
    ("permissions", "nobody", "public"),
]


@pytest.mark.parametrize("resource", ["data_manager", "function"])
@pytest.mark.parametrize(("param", "value", "names"), PERMITTED)
def test_permission_filter(resource, param, value, names, permitted, api):
    items = api.get(f"/api/{resource}/", {param: value}).json()["results"]
    assert ", ".join(item["name"] for item in items) == names


@pytest.mark.parametrize(
    ("value", "names"), [row[1:] for row in PERMITTED if row[0] == "can_process"]
)
def test_logs_permission_filter(value, names, permitted, api):
    items = api.get("/api/data_manager/", {"can_access_logs": value}).json()["results"]
    assert ", ".join(item["name"] for item in items) == names


def test_permission_filter_of_models(two, world, api):
    assert found(api, "model", two, permissions=B) == BOB
    assert found(api, "model", two, permissions=f"{A},{B}") == BOTH


# --- Dates and durations -------------------------------------------------------------------------

DAY = timedelta(days=1)


@pytest.mark.parametrize("resource", RESOURCES)
def test_creation_date(resource, two, api):
    first = api.get(f"/api/{resource}/?ordering=creation_date").json()["results"][0]
    moment = first["creation_date"]
    now = timezone.now()
    assert "alice" in found(api, resource, two, creation_date_after=moment), "inclusive"
    assert "alice" in found(api, resource, two, creation_date_before=moment), "inclusive"
    assert found(api, resource, two, creation_date_after=(now + DAY).isoformat()) == NONE
    assert found(api, resource, two, creation_date_before=(now - DAY).isoformat()) == NONE
    both = {
        "creation_date_after": (now - DAY).isoformat(),
        "creation_date_before": (now + DAY).isoformat(),
    }
    assert found(api, resource, two, **both) == BOTH


@pytest.mark.parametrize("resource", ["compute_plan", "task"])
@pytest.mark.parametrize(("param", "at"), [("start_date", 0), ("end_date", 90)])
def test_other_dates(resource, param, at, two, api):
    moment = FIRST_DAY + timedelta(seconds=at)
    for offset, after, before in ((-1, BOB, NONE), (0, BOB, BOB), (1, NONE, BOB)):
        value = (moment + timedelta(seconds=offset)).isoformat()
        assert found(api, resource, two, **{f"{param}_after": value}) == after
        assert found(api, resource, two, **{f"{param}_before": value}) == before


@pytest.mark.parametrize(
    "spelling",
    ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S+00:00", "%Y-%m-%dT%H:%M:%S"],
)
def test_spellings_of_a_date(spelling, two, api):
    value = FIRST_DAY.strftime(spelling)
    assert found(api, "task", two, start_date_after=value) == BOB


@pytest.mark.parametrize("param", ["creation_date_after", "start_date_before", "end_date_after"])
def test_dates_that_are_none(param, api):
    answer = api.get(f"/api/task/?{param}=yesterday")
    assert (answer.status_code, list(answer.json())) == (400, [param.rpartition("_")[0]])
    assert answer.json()[param.rpartition("_")[0]] == ["Enter a valid date/time."]


@pytest.mark.parametrize("resource", ["compute_plan", "task"])
@pytest.mark.parametrize(
    ("params", "whose"),
    [
        ({"duration_min": 90}, BOB),
        ({"duration_min": 91}, NONE),
        ({"duration_max": 90}, BOB),
        ({"duration_max": 89}, NONE),
        ({"duration_min": 0.5, "duration_max": 90.5}, BOB),
        ({"duration_min": 1e30}, NONE),
        ({"duration_max": 1e30}, BOB),
        ({"duration_min": ""}, BOTH),
    ],
    ids=str,
)
def test_duration(resource, params, whose, two, api):
    """Of what has started; what runs still has a duration until now."""
    assert found(api, resource, two, **params) == whose


def test_duration_of_what_runs(two, api):
    started = timezone.now() - timedelta(hours=1)
    set_status([two.alices.task.key], TaskStatus.EXECUTING, start_date=started)
    assert found(api, "task", two, duration_min=3000) == ALICE


def test_duration_that_is_none(api):
    answer = api.get("/api/task/?duration_min=long")
    assert (answer.status_code, answer.json()) == (400, {"duration": ["Enter a number."]})


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


@pytest.mark.parametrize("resource", ["data_manager", "function", "compute_plan", "task"])
def test_match_finds_keys(resource, two, api):
    key = str(getattr(two.alices, RESOURCES[resource]).key)
    assert found(api, resource, two, match=key) == ALICE
    assert found(api, resource, two, match=key[:13]) == ALICE
    assert found(api, resource, two, match=key.upper()) == ALICE


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


@pytest.mark.parametrize("compact", [False, True], ids=["as said", "without spaces"])
@pytest.mark.parametrize(("conditions", "expected"), CONDITIONS, ids=str)
def test_metadata(conditions, expected, compact, described, api):
    """The SDK takes every space out of the text, also those of keys and values."""
    text = json.dumps(conditions)
    text = text.replace(" ", "") if compact else text
    items = api.get("/api/compute_plan/", {"metadata": text}).json()["results"]
    assert {described.index(item["key"]) for item in items} == expected


@pytest.mark.parametrize("text", ["{", "nothing", "", "[", '[{"key":', "null", "NaN"])
def test_metadata_that_cannot_be_read(text, described, api):
    assert api.get("/api/compute_plan/", {"metadata": text}).json()["count"] == len(METADATA)


def test_metadata_of_tasks(two, api):
    assert found(api, "task", two, metadata=json.dumps([_is("of", "alices")])) == ALICE


# --- All together --------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", RESOURCES)
def test_filters_are_combined(resource, two, api):
    bobs = str(getattr(two.bobs, RESOURCES[resource]).key)
    assert found(api, resource, two, owner=A, key=bobs) == NONE
    assert found(api, resource, two, owner=B, key=bobs) == BOB


@pytest.mark.parametrize("resource", RESOURCES)
def test_unknown_parameters_are_ignored(resource, two, api):
    assert found(api, resource, two, colour="red", digest="x", owner__name="y") == BOTH


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_last_of_a_repeated_parameter_counts(resource, two, api):
    assert found(api, resource, two, owner=["nobody", A]) == ALICE
    assert found(api, resource, two, owner=[A, "nobody"]) == NONE


ODD = ["\x00", "a\x00b", "\ud7ff", "%00", "'", '"', "\\", "a" * 5000, "🧬"]
ODD_FILTERS = [
    "key",
    "owner",
    "name",
    "match",
    "tag",
    "status",
    "rank",
    "metadata",
    "creation_date_after",
    "can_process",
]


@pytest.mark.parametrize("value", ODD, ids=ascii)
@pytest.mark.parametrize("param", [*ODD_FILTERS, "ordering", "duration_min", "page", "page_size"])
@pytest.mark.parametrize("resource", ["data_manager", "task"])
def test_odd_values_break_nothing(resource, param, value, api):
    assert api.get(f"/api/{resource}/", {param: value}).status_code in (200, 400, 404)


@pytest.mark.parametrize("text", [json.dumps([_is("a", "\x00")]), json.dumps([_exists("\x00")])])
def test_metadata_that_no_database_has(text, described, api):
    answer = api.get("/api/compute_plan/", {"metadata": text})
    assert (answer.status_code, answer.json()["count"]) == (200, 0)


def test_nested_lists_filter_like_the_others(world, api):
    tasks = [world.task(tag="a"), world.task(tag="b")]
    world.registered(*tasks)
    url = f"/api/compute_plan/{tasks[0].compute_plan_key}"
    assert api.get(f"{url}/task/?tag=a").json()["count"] == 1
    assert api.get(f"{url}/functions/?match=train").json()["count"] == 1
    assert api.get(f"{url}/functions/?match=nothing").json()["count"] == 0


def test_a_cancelled_plan(two, world, api):
    cancel_compute_plan(two.alices.plan.key, world.alice)
    assert found(api, "compute_plan", two, status="PLAN_STATUS_CANCELED") == ALICE
    assert found(api, "task", two, status="STATUS_CANCELED") == ALICE
