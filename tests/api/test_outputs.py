"""What tasks take and have made: assets, models, performances. Contract 2.7 to 2.9."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan
from tests.builders import (
    MODEL_OUTPUT,
    PERFORMANCE_OUTPUT,
    make_model,
    make_performance,
    make_plan,
    set_status,
)
from tests.rules.world import model_ref

# --- Inputs and outputs of a task ----------------------------------------------------------------


def _assets(api, key, which, **params):
    answer = api.get(f"/api/task/{key}/{which}_assets/", params)
    assert answer.status_code == 200
    return answer.json()["results"]


def _shown(assets) -> list[tuple[str, str]]:
    return [(item["identifier"], item["asset"]["key"]) for item in assets]


def test_inputs_by_key_are_there_at_once(world, api):
    task = world.registered(world.task())
    inputs = _assets(api, task.key, "input")
    first, second = world.samples
    assert _shown(inputs) == [
        ("datasamples", str(first.key)),
        ("datasamples", str(second.key)),
        ("opener", str(world.dataset.key)),
    ]
    assert [item["kind"] for item in inputs] == [
        "ASSET_DATA_SAMPLE",
        "ASSET_DATA_SAMPLE",
        "ASSET_DATA_MANAGER",
    ]
    assert inputs[0]["asset"] == api.get(f"/api/data_sample/{first.key}/").json()
    dataset = api.get(f"/api/data_manager/{world.dataset.key}/").json()
    del dataset["data_sample_keys"]
    assert inputs[2]["asset"] == dataset


def test_inputs_by_a_parent_are_there_once_they_are_made(world, api):
    other = world.registered(world.task())
    child = world.registered(world.child(other, world.parent))
    assert _assets(api, child.key, "input") == []
    models = [make_model(world.parent.key), make_model(other.key)]
    # In the order of the inputs, whichever was made first.
    expected = [("models", str(model.key)) for model in reversed(models)]
    assert _shown(_assets(api, child.key, "input")) == expected


def test_a_model_as_an_input(world, api):
    model = world.model()
    child = world.registered(world.child(inputs=grouped([model_ref("models", model.key)])))
    (item,) = _assets(api, child.key, "input")
    assert item["asset"] == api.get(f"/api/model/{model.key}/").json()
    assert (item["identifier"], item["kind"]) == ("models", "ASSET_MODEL")


def test_outputs(world, api):
    function = world.making(MODEL_OUTPUT, PERFORMANCE_OUTPUT)
    task = world.registered(world.simple(function))
    assert _assets(api, task.key, "output") == []
    performance = make_performance(task.key, 0.5)
    model = make_model(task.key)
    first, second = _assets(api, task.key, "output")
    assert first == {
        "identifier": "model",
        "kind": "ASSET_MODEL",
        "asset": api.get(f"/api/model/{model.key}/").json(),
    }
    when = performance.creation_date.isoformat().replace("+00:00", "Z")
    assert second == {
        "identifier": "performance",
        "kind": "ASSET_PERFORMANCE",
        "asset": {
            "compute_task_key": str(task.key),
            "compute_task_output_identifier": "performance",
            "performance_value": 0.5,
            "creation_date": when,
            "channel": "mychannel",
        },
    }


FILTERS = [
    ({"identifier": "opener"}, ["opener"]),
    ({"identifier": "opener,datasamples"}, ["datasamples", "datasamples", "opener"]),
    ({"identifier": "nothing"}, []),
    ({"kind": "ASSET_DATA_SAMPLE"}, ["datasamples", "datasamples"]),
    ({"kind": "ASSET_DATA_SAMPLE,ASSET_DATA_MANAGER"}, ["datasamples", "datasamples", "opener"]),
    ({"kind": "ASSET_MODEL"}, []),
    ({"kind": "nothing"}, ["datasamples", "datasamples", "opener"]),
    ({"kind": "ASSET_DATA_SAMPLE", "identifier": "opener"}, []),
    ({"kind": "", "identifier": ""}, ["datasamples", "datasamples", "opener"]),
]


@pytest.mark.parametrize(("params", "identifiers"), FILTERS, ids=str)
def test_filters_of_inputs(params, identifiers, world, api):
    found = _assets(api, world.parent.key, "input", **params)
    assert [item["identifier"] for item in found] == identifiers


def test_one_output_by_its_identifier(world, api):
    """The SDK asks so, and wants exactly one."""
    function = world.making(MODEL_OUTPUT, PERFORMANCE_OUTPUT)
    task = world.registered(world.simple(function))
    make_performance(task.key, 0.5)
    model = make_model(task.key)
    assert _shown(_assets(api, task.key, "output", identifier="model")) == [
        ("model", str(model.key))
    ]


def test_pages_of_assets(world, api):
    url = f"/api/task/{world.parent.key}/input_assets/?page_size=2"
    page = api.get(url).json()
    assert (page["count"], len(page["results"])) == (3, 2)
    assert len(api.get(page["next"]).json()["results"]) == 1


# --- Performances --------------------------------------------------------------------------------


@pytest.fixture
def scored(world) -> ComputePlan:
    """A plan with a score in each of two rounds, and one of no round that has no score."""
    function = world.making(MODEL_OUTPUT, PERFORMANCE_OUTPUT)
    specs = [world.simple(function, compute_plan_key=None) for _ in range(3)]
    specs[0].metadata = {"round_idx": "10"}
    specs[1].metadata = {"round_idx": "2"}
    taker = world.making(PERFORMANCE_OUTPUT)
    child = world.simple(taker, compute_plan_key=None, metadata={"round_idx": "10"})
    refine = world.child(specs[0], compute_plan_key=None)
    plan = make_plan(
        world.alice,
        *specs,
        child,
        refine,
        name="=Scores",
        tag="t",
        metadata={"site": "+1", "x": "é"},
    )
    for spec, value in zip((specs[0], specs[1], child), (0.1, 1, 0.25), strict=True):
        make_performance(spec.key, value)
    return plan


def test_performances_of_a_plan(scored, world, api):
    body = api.get(f"/api/compute_plan/{scored.key}/perf/").json()
    assert set(body) == {"results", "compute_plan_statistics"}
    assert body["compute_plan_statistics"] == {
        "compute_tasks_distinct_ranks": [0, 1],
        "compute_tasks_distinct_rounds": ["2", "10"],
    }
    assert len(body["results"]) == 3
    for row in body["results"]:
        assert set(row) == {"compute_task", "identifier", "perf"}
        assert set(row["compute_task"]) == {"key", "function_key", "rank", "round_idx", "worker"}
        assert row["identifier"] == "performance"
    assert sorted(row["perf"] for row in body["results"]) == [0.1, 0.25, 1.0]
    assert {row["compute_task"]["round_idx"] for row in body["results"]} == {"2", "10"}


def test_a_round_that_is_none_is_null(world, api):
    function = world.making(PERFORMANCE_OUTPUT)
    task = world.registered(world.simple(function))
    make_performance(task.key, 1)
    body = api.get(f"/api/compute_plan/{task.compute_plan_key}/perf/").json()
    assert body["results"][0]["compute_task"]["round_idx"] is None
    assert body["compute_plan_statistics"]["compute_tasks_distinct_rounds"] == []


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("field", ["rank", "worker", "metadata__round_idx"])
def test_order_of_a_plans_performances(field, descending, scored, api):
    ordering = f"{'-' * descending}compute_task_output__task__{field}"
    rows = api.get(f"/api/compute_plan/{scored.key}/perf/?ordering={ordering}").json()["results"]
    name = field.removeprefix("metadata__")
    values = [row["compute_task"][name] for row in rows]
    assert values == sorted(values, reverse=descending)


def test_unknown_orders_of_performances(scored, api):
    url = f"/api/compute_plan/{scored.key}/perf/"
    assert api.get(f"{url}?ordering=nothing").json() == api.get(url).json()


ROW = """compute_plan_key compute_plan_name compute_plan_tag compute_plan_status
compute_plan_start_date compute_plan_end_date compute_plan_metadata worker task_rank task_round
identifier performance"""


def test_performances(scored, api):
    body = api.get("/api/performance/").json()
    assert body["count"] == 3
    for row in body["results"]:
        assert set(row) == set(ROW.split())
        assert row["compute_plan_key"] == str(scored.key)
        assert row["compute_plan_name"] == "=Scores"
        assert row["compute_plan_metadata"] == {"site": "+1", "x": "é"}
        assert row["compute_plan_status"] == "PLAN_STATUS_CREATED"


@pytest.mark.parametrize("field", ["task_rank", "task_round", "worker"])
def test_order_of_performances(field, scored, api):
    for sign in ("", "-"):
        rows = api.get(f"/api/performance/?ordering={sign}{field}").json()["results"]
        values = [row[field] for row in rows]
        assert values == sorted(values, reverse=bool(sign))


def test_filters_of_performances(scored, world, api):
    function = world.making(PERFORMANCE_OUTPUT)
    other = world.registered(world.simple(function))
    make_performance(other.key, 1)
    day = timedelta(days=1)
    start = timezone.now() - 5 * day
    dates = {"start_date": start, "end_date": start + day}
    ComputePlan.objects.filter(pk=other.compute_plan_key).update(status="PLAN_STATUS_DONE", **dates)
    soon, late = start.isoformat(), (start + 2 * day).isoformat()
    counts = {
        ("key", str(scored.key)): 3,
        ("key", f"{scored.key},{other.compute_plan_key}"): 4,
        ("key", "x"): 0,
        ("key", str(uuid4())): 0,
        ("owner", "MyOrg1MSP"): 4,
        ("owner", "MyOrg2MSP"): 0,
        ("identifier", "performance"): 4,
        ("identifier", "other"): 0,
        ("status", "PLAN_STATUS_DONE"): 1,
        ("status", "PLAN_STATUS_CREATED,PLAN_STATUS_DONE"): 4,
        ("start_date_after", soon): 1,
        ("start_date_after", late): 0,
        ("end_date_before", late): 1,
        ("end_date_before", soon): 0,
        ("creation_date_after", soon): 4,
        ("creation_date_before", soon): 0,
        ("match", "scores"): 3,
        ("match", str(other.compute_plan_key)): 1,
        ("metadata", '[{"key":"x","type":"exists"}]'): 3,
        ("metadata", '[{"key":"x","type":"is","value":"e"}]'): 0,
        ("colour", "red"): 4,
    }
    found = {
        param: api.get("/api/performance/", {param[0]: param[1]}).json()["count"]
        for param in counts
    }
    assert found == counts


def test_export(scored, api):
    answer = api.get("/api/performance/export/?metadata_columns=site,nothing,x")
    assert answer.status_code == 200
    assert answer.streaming
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    expected = 'attachment; filename="compute_plans.csv"'
    assert answer.headers["Content-Disposition"] == expected
    text = b"".join(answer.streaming_content).decode()
    header, *rows = csv.reader(io.StringIO(text))
    assert header == [
        *(
            f"compute_plan_{name}"
            for name in ["key", "name", "tag", "status", "start_date", "end_date"]
        ),
        *("site", "nothing", "x"),
        *["identifier", "worker", "task_rank", "task_round", "performance"],
    ]
    assert len(rows) == 3
    row = dict(zip(header, rows[0], strict=True))
    # A spreadsheet must not take a text for a formula.
    assert (row["compute_plan_name"], row["site"]) == ("'=Scores", "+1")
    assert (row["x"], row["nothing"], row["compute_plan_start_date"]) == ("é", "", "")


def test_export_is_filtered_and_ordered(scored, api):
    def rows(**params):
        answer = api.get("/api/performance/export/", params)
        text = b"".join(answer.streaming_content).decode()
        return list(csv.DictReader(io.StringIO(text)))

    assert rows(key=str(uuid4())) == []
    rounds = [row["task_round"] for row in rows(ordering="-task_round")]
    assert rounds == sorted(rounds, reverse=True)


# --- Models --------------------------------------------------------------------------------------


def test_model(world, api):
    set_status([world.parent.key], "STATUS_DONE")
    model = make_model(world.parent.key, content=b"weights")
    body = api.get(f"/api/model/{model.key}/").json()
    permission = {"public": False, "authorized_ids": ["MyOrg1MSP"]}
    assert body["permissions"] == {"process": permission, "download": permission}
    assert body["compute_task_key"] == str(world.parent.key)
    assert body["address"] == {
        "checksum": model.file_checksum,
        "storage_address": f"http://testserver/api/model/{model.key}/file/",
    }


@pytest.mark.parametrize(
    ("identifiers", "asked", "found"),
    [
        (["my model"], "mymodel", ["my model"]),
        (["my model"], "my model", ["my model"]),
        (["my model", "mymodel"], "mymodel", ["mymodel"]),
        (["my model"], "my", []),
    ],
    ids=["without its spaces", "unchanged", "another is as asked", "a part of it"],
)
def test_an_output_with_spaces(identifiers, asked, found, world, api):
    """The SDK strips spaces of all that it filters by."""
    outputs = [replace(MODEL_OUTPUT, identifier=identifier) for identifier in identifiers]
    task = world.registered(world.simple(world.making(*outputs)))
    for identifier in identifiers:
        make_model(task.key, identifier)
    assets = _assets(api, task.key, "output", identifier=asked)
    assert [item["identifier"] for item in assets] == found
