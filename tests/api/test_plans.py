"""What the API shows of a compute plan beside its columns. Contract 2.6, 2.12."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from assets.compute.models import ComputePlan, Task
from assets.compute.statuses import TaskStatus
from tests.builders import (
    PERFORMANCE_OUTPUT,
    make_function,
    make_plan,
    set_status,
)
from tests.rules.world import World

HOUR = timedelta(hours=1)


def _plan(api, plan) -> dict:
    return api.get(f"/api/compute_plan/{plan.key}/").json()


def _set(plan: ComputePlan, **columns) -> None:
    ComputePlan.objects.filter(pk=plan.pk).update(**columns)


def test_creator(world, api, bobs_api, client_of):
    """The user's name in the own organisation, and after the account is gone."""
    ada = world.users["ada"]
    plan = make_plan(ada)
    assert _plan(api, plan)["creator"] == "ada"
    assert _plan(bobs_api, plan)["creator"] == "external"
    ada.delete()
    assert _plan(api, plan)["creator"] == "deleted"
    assert _plan(bobs_api, plan)["creator"] == "external"


def test_duration(world, api):
    plan = world.plan
    assert _plan(api, plan)["duration"] == 0
    _set(plan, start_date=timezone.now() - HOUR)
    assert _plan(api, plan)["duration"] == pytest.approx(3600, abs=60)
    start = timezone.now() - HOUR
    _set(plan, start_date=start, end_date=start + timedelta(seconds=90, microseconds=900_000))
    assert _plan(api, plan)["duration"] == 90


def test_estimated_end(world, api):
    """As fast as so far; the end once it has ended; nothing before a task is done."""
    plan = world.plan
    now = timezone.now()
    doing = {"status": "PLAN_STATUS_DOING", "start_date": now - HOUR, "task_count": 4}
    _set(plan, **doing, executing_count=4)
    assert _plan(api, plan)["estimated_end_date"] is None
    _set(plan, **doing, executing_count=3, done_count=1)
    moment = datetime.fromisoformat(_plan(api, plan)["estimated_end_date"])
    assert abs(moment - (now + 3 * HOUR)) < timedelta(minutes=2)
    _set(plan, status="PLAN_STATUS_DONE", end_date=now)
    body = _plan(api, plan)
    assert body["estimated_end_date"] == body["end_date"] is not None


def test_counters(world, api):
    """Each status has its counter; older SDKs find theirs beside them."""
    specs = [world.task() for _ in range(3)]
    world.registered(*specs)
    plan = ComputePlan.objects.get(pk=specs[0].compute_plan_key)
    columns = {
        "waiting_builder_slot_count": 1,
        "building_count": 2,
        "waiting_parent_tasks_count": 3,
        "waiting_executor_slot_count": 4,
        "executing_count": 5,
        "done_count": 6,
        "failed_count": 7,
        "canceled_count": 8,
    }
    _set(plan, **columns, task_count=36)
    body = _plan(api, plan)
    assert {name: body[name] for name in columns} == columns
    assert body["task_count"] == 36
    assert (body["waiting_count"], body["todo_count"], body["doing_count"]) == (6, 4, 5)


# --- The graph -----------------------------------------------------------------------------------


def test_workflow_graph(world, api):
    first = world.task()
    second = world.child(first, first)
    elsewhere = world.registered(world.task())
    third = world.child(second, elsewhere)
    plan = make_plan(world.alice, *(_without_plan(task) for task in (third, second, first)))
    graph = api.get(f"/api/compute_plan/{plan.key}/workflow_graph/").json()
    assert [(task["key"], task["rank"]) for task in graph["tasks"]] == [
        (str(first.key), 0),
        (str(second.key), 1),
        (str(third.key), 2),
    ]
    assert graph["tasks"][0] == {
        "key": str(first.key),
        "rank": 0,
        "function_name": "Train",
        "worker": "MyOrg1MSP",
        "status": "STATUS_WAITING_FOR_BUILDER_SLOT",
        "inputs_specs": [
            {"identifier": "opener", "kind": "ASSET_DATA_MANAGER"},
            {"identifier": "datasamples", "kind": "ASSET_DATA_SAMPLE"},
            {"identifier": "shared", "kind": "ASSET_MODEL"},
        ],
        "outputs_specs": [{"identifier": "model", "kind": "ASSET_MODEL"}],
    }
    edges = [(first, second), (first, second), (second, third)]
    assert graph["edges"] == [
        {
            "source_task_key": str(source.key),
            "source_output_identifier": "model",
            "target_task_key": str(target.key),
            "target_input_identifier": "models",
        }
        for source, target in edges
    ]


def _without_plan(task):
    task.compute_plan_key = None
    return task


def test_no_graph_of_more_than_5000_tasks(world: World, api):
    function = make_function(world.alice, inputs=(), outputs=(PERFORMANCE_OUTPUT,))
    tasks = [world.simple(function, compute_plan_key=None) for _ in range(5001)]
    plan = make_plan(world.alice, *tasks[:5000])
    url = f"/api/compute_plan/{plan.key}/workflow_graph/"
    assert len(api.get(url).json()["tasks"]) == 5000
    plan = make_plan(world.alice, *tasks[5000:], key=plan.key)
    answer = api.get(url)
    detail = "Cannot build workflow graph for more than 5000 tasks."
    assert (answer.status_code, answer.json()) == (403, {"detail": detail})


# --- Nested lists --------------------------------------------------------------------------------


def test_tasks_and_functions_of_a_plan(world, api):
    first = world.task()
    second, third = world.child(first), world.child(first)
    world.registered(first, second, third)
    world.registered(world.task())
    url = f"/api/compute_plan/{first.compute_plan_key}"
    tasks = api.get(f"{url}/task/").json()
    assert {task["key"] for task in tasks["results"]} == {
        str(task.key) for task in (first, second, third)
    }
    for task in tasks["results"]:
        assert task == api.get(f"/api/task/{task['key']}/").json()
    functions = api.get(f"{url}/functions/").json()
    assert functions["count"] == 2
    assert [item["name"] for item in functions["results"]] == ["Train", "Aggregate"]
    assert functions["results"][0] == api.get(f"/api/function/{world.train.key}/").json()


def test_metadata_keys(world, api):
    url = "/api/compute_plan_metadata/"
    assert api.get(url).json() == []
    for metadata in ({"b": "1", "a": ""}, {"b": "2", "Été": "x"}, {}):
        make_plan(world.alice, metadata=metadata)
    assert api.get(url).json() == ["a", "b", "Été"]


# --- Tasks ---------------------------------------------------------------------------------------


def test_a_failed_task(world, api):
    now = timezone.now()
    dates = {"start_date": now - HOUR, "end_date": now}
    set_status([world.parent.key], TaskStatus.FAILED, error_type="INTERNAL_ERROR", **dates)
    task = api.get(f"/api/task/{world.parent.key}/").json()
    assert (task["status"], task["error_type"]) == ("STATUS_FAILED", "INTERNAL_ERROR")
    assert task["duration"] == 3600


def test_the_tag_of_a_task_is_no_metadata(world, api):
    task = world.registered(world.task(tag="t", metadata={"a": "b"}))
    body = api.get(f"/api/task/{task.key}/").json()
    assert (body["tag"], body["metadata"]) == ("t", {"a": "b"})


def test_an_older_sdk_reads_its_own_words(world, api):
    """The same views below a prefix; addresses stay below it."""
    set_status([world.parent.key], TaskStatus.EXECUTING)
    plan = Task.objects.get(pk=world.parent.key).compute_plan
    _set(plan, waiting_builder_slot_count=0, executing_count=1, status="PLAN_STATUS_DOING")
    words = {
        "api": "STATUS_EXECUTING",
        "api/sdk-0.50": "STATUS_DOING",
        "api/sdk-0.49": "STATUS_DOING",
    }
    for prefix, word in words.items():
        task = api.get(f"/{prefix}/task/{world.parent.key}/").json()
        assert task["status"] == word
        address = f"http://testserver/{prefix}/function/{world.train.key}/file/"
        assert task["function"]["archive"]["storage_address"] == address
        assert api.get(f"/{prefix}/task/?status={word}").json()["count"] == 1
