"""What answers look like: the contract's keys, no more and no fewer. Contract 2.0 to 2.13."""

from hashlib import sha256

import pytest

from assets.compute.api.serializers import ComputePlanSerializer, ModelSerializer, TaskSerializer
from assets.datasets.serializers import DataSampleSerializer, DatasetSerializer
from assets.functions.serializers import FunctionSerializer
from assets.permissions.specs import PermissionsSpec
from tests.builders import (
    DESCRIPTION,
    OPENER,
    dataset_spec,
    function_spec,
    make_model,
    only_to,
    plan_spec,
    wire_dataset,
    wire_function,
    wire_plan,
    wire_samples,
    wire_task,
)

from .shapes import check_shape

COMMON = "key owner creation_date"
# The keys of each resource's objects, in the contract's words.
KEYS = {
    "data_manager": f"{COMMON} name metadata type permissions logs_permission opener description "
    "data_sample_keys",
    "data_sample": f"{COMMON} data_manager_keys",
    "function": f"{COMMON} name metadata permissions description archive function inputs outputs "
    "status",
    "compute_plan": f"{COMMON} name tag metadata creator start_date end_date duration status "
    "failed_task_key task_count done_count waiting_builder_slot_count building_count "
    "waiting_parent_tasks_count waiting_executor_slot_count executing_count canceled_count "
    "failed_count estimated_end_date waiting_count todo_count doing_count",
    "task": f"{COMMON} function worker compute_plan_key rank status tag metadata start_date "
    "end_date duration error_type logs_permission inputs outputs",
    "model": f"{COMMON} compute_task_key permissions address",
}
SERIALIZERS = {
    "data_manager": DatasetSerializer,
    "data_sample": DataSampleSerializer,
    "function": FunctionSerializer,
    "compute_plan": ComputePlanSerializer,
    "task": TaskSerializer,
    "model": ModelSerializer,
}


@pytest.fixture
def full(world) -> None:
    """One asset of each kind at least, with every optional part."""
    child = world.child(world.parent, metadata={"round_idx": "1"}, tag="t")
    world.registered(child)
    make_model(world.parent.key)
    make_model(child.key, content=b"")


@pytest.mark.parametrize("resource", KEYS)
def test_list_and_retrieve(resource, full, api):
    listed = api.get(f"/api/{resource}/").json()
    assert set(listed) == {"count", "next", "previous", "results"}
    assert listed["count"] == len(listed["results"]) > 0
    for item in listed["results"]:
        assert set(item) == set(KEYS[resource].split())
        check_shape(item, SERIALIZERS[resource]())
        retrieved = api.get(f"/api/{resource}/{item['key']}/")
        assert retrieved.status_code == 200
        assert retrieved.json() == item


@pytest.mark.parametrize("resource", KEYS)
def test_everybody_reads_everything(resource, full, api, bobs_api, client_of, world):
    """But for the plan's creator, whose name is shown in its own organisation only."""
    mine = api.get(f"/api/{resource}/").json()
    victors = client_of(world.users["victor"]).get(f"/api/{resource}/").json()
    theirs = bobs_api.get(f"/api/{resource}/").json()
    assert victors == mine
    for item in theirs["results"] if resource == "compute_plan" else ():
        assert item.pop("creator") == "external"
    for item in mine["results"] if resource == "compute_plan" else ():
        assert item.pop("creator") == "alice"
    assert theirs == mine


def test_dataset(api, world):
    spec = dataset_spec(permissions=only_to("MyOrg2MSP"), logs_permission=PermissionsSpec(True))
    created = api.post("/api/data_manager/", wire_dataset(spec))
    assert created.status_code == 201
    body = created.json()
    assert body == api.get(f"/api/data_manager/{body['key']}/").json()
    process = {"public": False, "authorized_ids": ["MyOrg1MSP", "MyOrg2MSP"]}
    address = f"http://testserver/api/data_manager/{body['key']}"
    del body["key"], body["creation_date"]
    assert body == {
        "name": "Blood counts",
        "type": "tabular",
        "owner": "MyOrg1MSP",
        "metadata": {"ward": "7"},
        "permissions": {"process": process, "download": process},
        "logs_permission": {"public": True, "authorized_ids": ["MyOrg1MSP"]},
        "opener": {
            "checksum": sha256(OPENER).hexdigest(),
            "storage_address": f"{address}/opener/",
        },
        "description": {
            "checksum": sha256(DESCRIPTION).hexdigest(),
            "storage_address": f"{address}/description/",
        },
        "data_sample_keys": [],
    }


def test_function(api):
    spec = function_spec()
    content = spec.file.read()
    spec.file.seek(0)
    created = api.post("/api/function/", wire_function(spec))
    assert created.status_code == 201
    body = created.json()
    assert body == api.get(f"/api/function/{body['key']}/").json()
    archive = {
        "checksum": sha256(content).hexdigest(),
        "storage_address": f"http://testserver/api/function/{body['key']}/file/",
    }
    assert body["archive"] == body["function"] == archive
    assert body["status"] == "FUNCTION_STATUS_WAITING"
    assert body["inputs"] == {
        "opener": {"kind": "ASSET_DATA_MANAGER", "optional": False, "multiple": False},
        "datasamples": {"kind": "ASSET_DATA_SAMPLE", "optional": False, "multiple": True},
        "shared": {"kind": "ASSET_MODEL", "optional": True, "multiple": False},
    }
    assert list(body["inputs"]) == ["opener", "datasamples", "shared"]
    assert body["outputs"] == {"model": {"kind": "ASSET_MODEL", "multiple": False}}


def test_samples(api, world):
    spec = world.samples_spec(3)
    created = api.post("/api/data_sample/", wire_samples(spec))
    assert created.status_code == 201
    items = created.json()
    assert len(items) == 3
    for item, archive in zip(items, spec.archives.values(), strict=True):
        archive.seek(0)
        assert item.pop("checksum") == sha256(archive.read()).hexdigest()
        assert item == api.get(f"/api/data_sample/{item['key']}/").json()
        assert item["data_manager_keys"] == [str(world.dataset.key)]
    listed = api.get(f"/api/data_manager/{world.dataset.key}/").json()["data_sample_keys"]
    assert set(listed) == {item["key"] for item in items}


def test_plan(api):
    spec = plan_spec(tag="", metadata={})
    created = api.post("/api/compute_plan/", wire_plan(spec), format="json")
    assert created.status_code == 201
    body = created.json()
    assert body == api.get(f"/api/compute_plan/{spec.key}/").json()
    counts = {name: value for name, value in body.items() if name.endswith("_count")}
    assert set(counts.values()) == {0}
    assert (body["tag"], body["metadata"], body["duration"]) == ("", {}, 0)
    assert (body["status"], body["creator"]) == ("PLAN_STATUS_CREATED", "alice")


def test_tasks(api, world):
    parent = world.task(metadata={"a": "b"})
    child = world.child(parent, tag="t")
    body = {"tasks": [wire_task(child), wire_task(parent)]}
    created = api.post("/api/task/bulk_create/", body, format="json")
    assert created.status_code == 200
    first, second = created.json()
    assert (first["key"], second["key"]) == (str(parent.key), str(child.key))
    assert first == api.get(f"/api/task/{parent.key}/").json()
    assert first["function"] == api.get(f"/api/function/{world.train.key}/").json()
    assert (first["rank"], second["rank"]) == (0, 1)
    assert (first["tag"], second["tag"]) == ("", "t")
    assert (first["metadata"], second["metadata"]) == ({"a": "b"}, {})
    assert first["error_type"] is None
    assert first["inputs"][0] == {
        "identifier": "opener",
        "asset_key": str(world.dataset.key),
        "parent_task_key": None,
        "parent_task_output_identifier": None,
    }
    assert second["inputs"] == [
        {
            "identifier": "models",
            "asset_key": None,
            "parent_task_key": str(parent.key),
            "parent_task_output_identifier": "model",
        }
    ]
    permission = {"public": False, "authorized_ids": ["MyOrg1MSP"]}
    assert first["outputs"] == {
        "model": {
            "permissions": {"process": permission, "download": permission},
            "transient": False,
        }
    }


def test_tasks_of_a_plan_by_its_own_address(api, world):
    """A batch that names no plan goes to the plan of the address."""
    tasks = [wire_task(world.task()) for _ in range(2)]
    del tasks[0]["compute_plan_key"]
    url = f"/api/compute_plan/{world.plan.key}/tasks/"
    created = api.post(url, {"key": str(world.plan.key), "tasks": tasks}, format="json")
    assert created.status_code == 200
    assert {task["compute_plan_key"] for task in created.json()} == {str(world.plan.key)}
    assert api.get(f"/api/compute_plan/{world.plan.key}/").json()["task_count"] == 2


def test_tasks_of_another_plan_are_refused_there(api, world):
    other = world.registered(world.task()).compute_plan_key
    body = {"tasks": [wire_task(world.task())]}
    answer = api.post(f"/api/compute_plan/{other}/tasks/", body, format="json")
    assert answer.status_code == 400
    assert "All tasks should have the same compute plan key" in answer.json()["detail"]


@pytest.mark.parametrize("resource", ["data_manager", "function", "compute_plan"])
def test_rename_answers_an_empty_object(resource, full, api):
    key = api.get(f"/api/{resource}/").json()["results"][0]["key"]
    answer = api.put(f"/api/{resource}/{key}/", {"name": "Renamed"}, format="json")
    assert (answer.status_code, answer.json()) == (200, {})
    assert api.get(f"/api/{resource}/{key}/").json()["name"] == "Renamed"


def test_other_updates_answer_an_empty_object(api, world):
    keys = {
        "data_manager_keys": [str(world.other_dataset.key)],
        "data_sample_keys": [str(sample.key) for sample in world.samples],
    }
    linked = api.post("/api/data_sample/bulk_update/", keys, format="json")
    assert (linked.status_code, linked.json()) == (200, {})
    cancelled = api.post(f"/api/compute_plan/{world.plan.key}/cancel/")
    assert (cancelled.status_code, cancelled.json()) == (200, {})


@pytest.mark.parametrize("resource", KEYS)
def test_json_answers_say_so(resource, full, api):
    for url in (f"/api/{resource}/", f"/api/{resource}/x/", "/api/nothing/"):
        assert api.get(url).headers["Content-Type"] == "application/json"
