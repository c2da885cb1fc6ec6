"""What lists keep of what they are asked for. Contract 2.0, 2.3 to 2.9, 2.14."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.compute.registration import cancel_compute_plan
from assets.compute.statuses import TaskStatus
from tests.builders import (
    set_status,
)
from tests.rules.world import A, B

from .pairs import ALICE, BOB, BOTH, FIRST_DAY, NONE, RESOURCES, found

pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("two")]

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


def test_a_row_that_several_values_find_is_listed_once(world, api):
    """A dataset with two of the samples, a function that two of the plans run."""
    keys = ",".join(str(sample.key) for sample in world.samples)
    assert api.get(f"/api/data_manager/?data_sample_key={keys}").json()["count"] == 1
    assert api.get(f"/api/function/?data_sample_key={keys}").json()["count"] == 0
    plans = [world.registered(world.task()).compute_plan_key for _ in range(2)]
    found = api.get(f"/api/function/?compute_plan_key={plans[0]},{plans[1]}").json()
    assert found["count"] == 1


# Filters by a text, with the value that finds Alice's.
BY_TEXT = [
    *((resource, "owner", A) for resource in RESOURCES),
    ("data_manager", "name", "alices data"),
    ("function", "name", "alices function"),
    ("compute_plan", "name", "alices plan"),
    ("compute_plan", "tag", "alices tag"),
    ("compute_plan", "worker", A),
    ("task", "tag", "alices tag"),
    ("task", "worker", A),
]


@pytest.mark.parametrize(("resource", "param", "value"), BY_TEXT)
def test_text_filter(resource, param, value, two, api):
    bobs = value.replace("alice", "bob").replace(A, B)
    assert found(api, resource, two, **{param: value}) == ALICE
    assert found(api, resource, two, **{param: f"{value},{bobs}"}) == BOTH
    assert found(api, resource, two, **{param: f"{value},no one"}) == ALICE
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


# --- Permissions --------------------------------------------------------------------------------


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


# --- All together --------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", ["data_manager", "function", "compute_plan", "task"])
def test_match_finds_keys(resource, two, api):
    key = str(getattr(two.alices, RESOURCES[resource]).key)
    assert found(api, resource, two, match=key) == ALICE
    assert found(api, resource, two, match=key[:13]) == ALICE
    assert found(api, resource, two, match=key.upper()) == ALICE


def test_metadata_of_tasks(two, api):
    condition = {"key": "of", "type": "is", "value": "alices"}
    assert found(api, "task", two, metadata=json.dumps([condition])) == ALICE


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
    assert found(api, resource, two, owner=["unknown", A]) == ALICE
    assert found(api, resource, two, owner=[A, "unknown"]) == NONE


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


@pytest.mark.parametrize("param", [*ODD_FILTERS, "ordering", "duration_min", "page", "page_size"])
@pytest.mark.parametrize("resource", ["data_manager", "task"])
def test_odd_values_break_nothing(resource, param, api):
    for value in ODD:
        answer = api.get(f"/api/{resource}/", {param: value})
        assert answer.status_code in (200, 400, 404), ascii(value)


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


MOMENTS = [
    ("data_manager", "creation_date_after"),
    ("data_sample", "creation_date_before"),
    ("function", "creation_date_after"),
    ("compute_plan", "start_date_before"),
    ("compute_plan", "end_date_after"),
    ("task", "start_date_after"),
    ("model", "creation_date_before"),
    ("performance", "end_date_after"),
    ("news_feed", "timestamp_after"),
    ("news_feed", "timestamp_before"),
]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_moments_that_are_none_in_utc(moment, api):
    for resource, param in MOMENTS:
        answer = api.get(f"/api/{resource}/", {param: moment})
        assert answer.status_code == 400, (resource, param)
        assert "years 1 and 9999" in str(answer.json())


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_the_first_and_the_last_moment(moment, api):
    for resource, param in MOMENTS:
        assert api.get(f"/api/{resource}/", {param: moment}).status_code == 200
