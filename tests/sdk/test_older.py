"""SDKs 0.50 and 0.49, each at the address of its dialect: registering and reading every kind."""

from pathlib import Path

import pytest

from assets.compute.statuses import TaskStatus
from tests.builders import DESCRIPTION, OPENER, tar_of

from .refusals import refused
from .specs import (
    PRIVATE,
    PUBLIC,
    TRAIN,
    granted,
    keys_of,
    only_to,
    sha256,
    single_task,
    unique,
)

pytestmark = pytest.mark.sdk

EMPTY, WAITING, TODO, DOING, DONE, FAILED, CANCELED = (
    f"PLAN_STATUS_{word}"
    for word in ("EMPTY", "WAITING", "TODO", "DOING", "DONE", "FAILED", "CANCELED")
)
# What the server calls a task's status, what each SDK calls it, and its plan's then.
STATUSES = {
    "WAITING_FOR_BUILDER_SLOT": ("WAITING_FOR_BUILDER_SLOT", "WAITING", WAITING),
    "BUILDING": ("BUILDING", "WAITING", WAITING),
    "WAITING_FOR_PARENT_TASKS": ("WAITING_FOR_PARENT_TASKS", "WAITING", WAITING),
    "WAITING_FOR_EXECUTOR_SLOT": ("WAITING_FOR_EXECUTOR_SLOT", "TODO", TODO),
    "EXECUTING": ("DOING", "DOING", DOING),
    "DONE": ("DONE", "DONE", DONE),
    "FAILED": ("FAILED", "FAILED", FAILED),
    "CANCELED": ("CANCELED", "CANCELED", CANCELED),
}
# The counter of a plan that each SDK has for such a task.
COUNTERS = {
    "0.50.0": {
        "WAITING_FOR_BUILDER_SLOT": "waiting_builder_slot_count",
        "BUILDING": "building_count",
        "WAITING_FOR_PARENT_TASKS": "waiting_parent_tasks_count",
        "WAITING_FOR_EXECUTOR_SLOT": "waiting_executor_slot_count",
        "EXECUTING": "doing_count",
    },
    "0.49.0": {
        "WAITING_FOR_BUILDER_SLOT": "waiting_count",
        "BUILDING": "waiting_count",
        "WAITING_FOR_PARENT_TASKS": "waiting_count",
        "WAITING_FOR_EXECUTOR_SLOT": "todo_count",
        "EXECUTING": "doing_count",
    },
}
FINAL_COUNTERS = {"DONE": "done_count", "FAILED": "failed_count", "CANCELED": "canceled_count"}


@pytest.fixture(params=["0.50.0", "0.49.0"])
def version(request) -> str:
    return request.param


@pytest.fixture
def status_of(version):
    """Return the SDK's word for a task's status."""
    return lambda word: f"STATUS_{STATUSES[word][['0.50.0', '0.49.0'].index(version)]}"


class TestAssets:
    def test_dataset(self, sdk, alice, carol, specs):
        name = unique()
        key = alice.add_dataset(specs.dataset(name=name, permissions=only_to("MyOrg2MSP")))
        found = alice.get_dataset(key)
        assert found.pop("creation_date").endswith("Z")
        address = f"{sdk.url}/data_manager/{key}"
        assert found == {
            "key": key,
            "name": name,
            "type": "tabular",
            "owner": "MyOrg1MSP",
            "permissions": {"process": granted(only_to("MyOrg2MSP"))},
            "logs_permission": granted(PRIVATE),
            "metadata": {"ward": "7"},
            "data_sample_keys": [],
            "opener": {"checksum": sha256(OPENER), "storage_address": f"{address}/opener/"},
            "description": {
                "checksum": sha256(DESCRIPTION),
                "storage_address": f"{address}/description/",
            },
        }
        assert keys_of(alice.list_dataset({"name": name})) == [key]
        alice.update_dataset(key, "Renamed")
        assert carol.get_dataset(key)["name"] == "Renamed"

    def test_files_of_a_dataset(self, alice, carol, specs):
        key = alice.add_dataset(specs.dataset(permissions=PRIVATE))
        folder = specs.folder()
        alice.download_dataset(key, str(folder))
        assert (folder / "opener.py").read_bytes() == OPENER
        assert alice.describe_dataset(key) == DESCRIPTION.decode()
        with refused("AuthorizationError", "Unauthorized"):
            carol.describe_dataset(key)

    def test_data_samples(self, alice, specs):
        first, second = (alice.add_dataset(specs.dataset()) for _ in range(2))
        one = alice.add_data_sample(specs.sample(first))
        paths = [specs.sample_folder() for _ in range(3)]
        many = alice.add_data_samples(specs.sample(first, paths=paths))
        assert alice.link_dataset_with_data_samples(second, [one]) == [one]
        assert set(alice.get_data_sample(one)["data_manager_keys"]) == {first, second}
        assert set(keys_of(alice.list_data_sample({"dataset_key": [first]}))) == {one, *many}

    def test_function(self, sdk, version, alice, specs):
        """0.50 calls `archive` what 0.49 calls `function`, and has a status."""
        archive = tar_of({"Dockerfile": b"FROM scratch\n", "run.py": b"1\n"})
        name = unique()
        spec = specs.function(name=name, file=specs.file("function.tar.gz", archive))
        key = alice.add_function(spec)
        found = alice.get_function(key)
        assert found.pop("creation_date").endswith("Z")
        address = f"{sdk.url}/function/{key}"
        stored = {"checksum": sha256(archive), "storage_address": f"{address}/file/"}
        assert found == {
            "key": key,
            "name": name,
            "owner": "MyOrg1MSP",
            "permissions": {"process": granted(PUBLIC)},
            "metadata": {"library": "numpy"},
            "inputs": TRAIN["inputs"],
            "outputs": [{"identifier": "model", "kind": "ASSET_MODEL", "multiple": False}],
            "description": {
                "checksum": sha256(DESCRIPTION),
                "storage_address": f"{address}/description/",
            },
            **(
                {"function": stored}
                if version == "0.49.0"
                else {"archive": stored, "status": "FUNCTION_STATUS_WAITING"}
            ),
        }
        assert alice.list_function({"name": name}) == [alice.get_function(key)]
        folder = specs.folder()
        alice.download_function(key, str(folder))
        assert (folder / "function.tar.gz").read_bytes() == archive
        assert alice.describe_function(key) == DESCRIPTION.decode()
        alice.update_function(key, "Renamed")
        assert alice.get_function(key)["name"] == "Renamed"

    def test_wait_function(self, version, alice, specs, worker):
        if version == "0.49.0":
            with refused("AttributeError", "wait_function"):
                alice.wait_function("key")
            return
        key = alice.add_function(specs.function())
        worker.ask("set_function", key=key, status="FUNCTION_STATUS_READY")
        assert alice.wait_function(key, timeout=30)["status"] == "FUNCTION_STATUS_READY"

    def test_organizations(self, alice):
        assert alice.organization_info()["organization_id"] == "MyOrg1MSP"
        assert [item["id"] for item in alice.list_organization() if item["is_current"]] == [
            "MyOrg1MSP"
        ]


class TestStatuses:
    def test_every_status_is_tried(self):
        assert {f"STATUS_{word}" for word in STATUSES} == set(TaskStatus.values)

    def test_of_a_plan_without_tasks(self, alice, specs):
        plan = alice.add_compute_plan(specs.plan(name=unique()))
        assert plan["status"] == EMPTY
        assert alice.get_compute_plan(plan["key"]) == plan
        by_status = {"name": plan["name"], "status": [EMPTY]}
        assert keys_of(alice.list_compute_plan(by_status)) == [plan["key"]]

    @pytest.mark.parametrize("word", STATUSES)
    def test_of_a_task_and_its_plan(self, version, alice, specs, stock, worker, status_of, word):
        task = stock.training()
        plan = alice.add_compute_plan(specs.plan(task))["key"]
        worker.ask("set_tasks", keys=[task["task_id"]], status=f"STATUS_{word}")
        assert alice.get_task(task["task_id"])["status"] == status_of(word)
        found = alice.get_compute_plan(plan)
        assert found["status"] == STATUSES[word][-1]
        counts = {name: n for name, n in found.items() if name.endswith("_count") and n}
        counter = {**COUNTERS[version], **FINAL_COUNTERS}[word]
        assert counts == {"task_count": 1, counter: 1}

    def test_tasks_by_status(self, alice, specs, stock, worker, status_of):
        tasks = {word: stock.training() for word in STATUSES}
        plan = alice.add_compute_plan(specs.plan(*tasks.values()))["key"]
        for word, task in tasks.items():
            worker.ask("set_tasks", keys=[task["task_id"]], status=f"STATUS_{word}")
        for wanted in {status_of(word) for word in STATUSES}:
            found = alice.list_task({"compute_plan_key": [plan], "status": [wanted]})
            assert set(keys_of(found)) == {
                task["task_id"] for word, task in tasks.items() if status_of(word) == wanted
            }
            assert {task["status"] for task in found} == {wanted}

    def test_plans_by_status(self, alice, specs, stock, worker):
        name = unique()
        plans = {}
        for word, (*_, status) in STATUSES.items():
            task = stock.training()
            key = alice.add_compute_plan(specs.plan(task, name=name))["key"]
            worker.ask("set_tasks", keys=[task["task_id"]], status=f"STATUS_{word}")
            plans.setdefault(status, set()).add(key)
        plans[EMPTY] = {alice.add_compute_plan(specs.plan(name=name))["key"]}
        for status, expected in plans.items():
            found = alice.list_compute_plan({"name": name, "status": [status]})
            assert set(keys_of(found)) == expected
            assert {plan["status"] for plan in found} == {status}
        both = alice.list_compute_plan({"name": name, "status": [EMPTY, TODO]})
        assert set(keys_of(both)) == plans[EMPTY] | plans[TODO]

    @pytest.mark.parametrize("status", ["PLAN_STATUS_CREATED", "PLAN_STATUS_ASLEEP"])
    def test_words_of_other_generations_are_refused(self, alice, status):
        with refused("InvalidRequest", "Select a valid choice"):
            alice.list_compute_plan({"status": [status]})

    def test_a_plan_that_has_done_something_is_doing(self, alice, specs, stock, worker):
        done, waiting = stock.training(), stock.training()
        plan = alice.add_compute_plan(specs.plan(done, waiting))["key"]
        worker.ask("set_tasks", keys=[done["task_id"]], status="STATUS_DONE")
        assert alice.get_compute_plan(plan)["status"] == DOING


class TestPlansAndTasks:
    def test_add_tasks_and_cancel(self, alice, specs, stock):
        first = stock.training(tag="eins", metadata={"round_idx": "1"})
        plan = alice.add_compute_plan(specs.plan(first))["key"]
        child = stock.aggregating(first)
        found = alice.add_compute_plan_tasks(plan, {"tasks": [child, stock.scoring(first)]})
        assert (found["task_count"], found["status"]) == (3, WAITING)
        assert alice.get_task(first["task_id"])["tag"] == "eins"
        assert alice.get_task(child["task_id"])["rank"] == 1
        alice.update_compute_plan(plan, "Renamed")
        alice.cancel_compute_plan(plan)
        found = alice.get_compute_plan(plan)
        assert (found["name"], found["status"]) == ("Renamed", CANCELED)
        assert found["canceled_count"] == 3

    def test_add_task(self, alice, stock, status_of):
        spec = single_task(stock.training())
        assert alice.add_task(spec) == spec["key"]
        found = alice.get_task(spec["key"])
        assert found["status"] == status_of("WAITING_FOR_BUILDER_SLOT")
        assert found["function"] == alice.get_function(stock.train)
        assert alice.get_compute_plan(found["compute_plan_key"])["name"] == spec["key"]
        with refused("AlreadyExists", key=spec["key"]):
            alice.add_task(spec)

    def test_outputs(self, alice, specs, stock, worker):
        train = stock.training()
        score = stock.scoring(train, metadata={"round_idx": "2"})
        plan = alice.add_compute_plan(specs.plan(train, score))["key"]
        task = train["task_id"]
        model = worker.ask("make_model", task=task, content=b"weights".hex())
        worker.ask("make_performance", task=score["task_id"], value=0.5)
        worker.ask("set_tasks", keys=[task, score["task_id"]], status="STATUS_DONE")
        assert alice.wait_task(task, timeout=30)["status"] == "STATUS_DONE"
        assert alice.wait_compute_plan(plan, timeout=30)["status"] == DONE
        assert alice.get_model(model)["compute_task_key"] == task
        assert keys_of(alice.list_model({"compute_task_key": [task]})) == [model]
        path = alice.download_model_from_task(task, "model", str(specs.folder()))
        assert Path(path).read_bytes() == b"weights"
        assert alice.get_task_output_asset(task, "model")["asset"]["key"] == model
        identifiers = [
            item["identifier"] for item in alice.list_task_input_assets(score["task_id"])
        ]
        assert identifiers == ["datasamples", "datasamples", "opener", "shared"]
        performances = alice.get_performances(plan)
        assert (performances["performance"], performances["round_idx"]) == ([0.5], [2])
        assert performances["compute_plan_status"] == [DONE]

    def test_logs(self, alice, carol, specs, stock, worker):
        """0.49 asks for them at another address."""
        task = alice.add_task(single_task(stock.training()))
        worker.ask("set_tasks", keys=[task], status="STATUS_FAILED")
        worker.ask("report_failure", task=task, logs="Größe ≠ 3\n")
        assert alice.get_task(task)["error_type"] == "EXECUTION_ERROR"
        assert alice.get_logs(task) == "Größe ≠ 3\n"
        path = alice.download_logs(task, str(specs.folder()))
        assert Path(path).read_bytes() == "Größe ≠ 3\n".encode()
        with refused("AuthorizationError", "Unauthorized"):
            carol.get_logs(task)
        with refused("FutureFailureError"):
            alice.wait_task(task, timeout=30)
