"""What work produces: models, performances, logs, and waiting for it."""

from pathlib import Path
from threading import Timer

import pytest

from .refusals import refused, unknown_key
from .specs import PRIVATE, PUBLIC, granted, keys_of, only_to, sha256, single_task

pytestmark = pytest.mark.sdk

WEIGHTS = bytes(range(256)) * 100


@pytest.fixture
def made(alice, stock, worker):
    """Register a task whose work is done; return its key and the key of its model."""

    def make(permissions: dict = PRIVATE, content: bytes = WEIGHTS) -> tuple[str, str]:
        outputs = {"model": {"permissions": permissions, "is_transient": True}}
        task = alice.add_task(single_task(stock.training(outputs=outputs)))
        worker.ask("set_tasks", keys=[task], status="STATUS_DONE")
        return task, worker.ask("make_model", task=task, content=content.hex())

    return make


@pytest.fixture
def failed(alice, specs, stock, worker):
    """Register a task that has failed; return its key."""

    def fail(logs: str, logs_permission: dict = PRIVATE) -> str:
        dataset = alice.add_dataset(specs.dataset(logs_permission=logs_permission))
        sample = alice.add_data_sample(specs.sample(dataset))
        inputs = [
            {"identifier": "opener", "asset_key": dataset},
            {"identifier": "datasamples", "asset_key": sample},
        ]
        task = alice.add_task(single_task(stock.training(inputs=inputs)))
        worker.ask("set_tasks", keys=[task], status="STATUS_FAILED")
        if logs:
            worker.ask("report_failure", task=task, logs=logs)
        return task

    return fail


class TestModels:
    def test_get_model(self, sdk, alice, carol, made):
        task, model = made()
        found = alice.get_model(model)
        assert found == carol.get_model(model)
        assert found.pop("creation_date").endswith("Z")
        assert found == {
            "key": model,
            "compute_task_key": task,
            "owner": "MyOrg1MSP",
            "permissions": {"process": granted(PRIVATE)},
            "address": {
                "checksum": sha256(WEIGHTS),
                "storage_address": f"{sdk.url}/model/{model}/file/",
            },
        }

    def test_download_model(self, alice, victor, bob, carol, specs, made):
        _, model = made(only_to("MyOrg2MSP"))
        for client in (alice, victor, bob):
            folder = specs.folder()
            path = Path(client.download_model(model, str(folder)))
            assert path == folder / f"model_{model}"
            assert path.read_bytes() == WEIGHTS
        with refused("AuthorizationError", "Unauthorized"):
            carol.download_model(model, str(specs.folder()))

    def test_download_model_from_task(self, carol, specs, made):
        task, model = made(PUBLIC, b"other weights")
        folder = specs.folder()
        path = Path(carol.download_model_from_task(task, "model", str(folder)))
        assert path == folder / f"model_{model}"
        assert path.read_bytes() == b"other weights"
        with refused("TaskAssetNotFoundError"):
            carol.download_model_from_task(task, "no output", str(folder))

    def test_disabled(self, alice, specs, stock, worker, made):
        """Gone once it is not needed any more; no task may begin from it."""
        task, model = made()
        worker.ask("disable_model", key=model)
        assert alice.get_model(model)["address"] is None
        with refused("HTTPError", "Asset not available anymore"):
            alice.download_model(model, str(specs.folder()))
        inputs = [*stock.data, {"identifier": "shared", "asset_key": model}]
        with refused("InvalidRequest", "OE0101", "has been disabled"):
            alice.add_task(single_task(stock.training(inputs=inputs)))
        with refused("InvalidRequest", "OE0101", "has been disabled"):
            alice.add_task(single_task(stock.aggregating({"task_id": task})))

    @pytest.mark.parametrize("key", [unknown_key(), "no-key"], ids=["unknown", "malformed"])
    def test_not_found(self, alice, specs, key):
        with refused("NotFound"):
            alice.get_model(key)
        with refused("InvalidRequest" if key == "no-key" else "NotFound"):
            alice.download_model(key, str(specs.folder()))


class TestListModels:
    def test_newest_first_or_oldest_first(self, alice, made):
        tasks, models = zip(*(made() for _ in range(3)), strict=True)
        by_task = {"compute_task_key": tasks}
        assert keys_of(alice.list_model(by_task)) == [*models[::-1]]
        assert keys_of(alice.list_model(by_task, ascending=True)) == [*models]
        assert keys_of(alice.list_model({"compute_task_key": tasks[:1]})) == [models[0]]
        assert alice.list_model({"compute_task_key": [unknown_key()]}) == []

    def test_by_key_and_by_owner(self, alice, made):
        _, model = made()
        by_key = {"key": [model]}
        assert alice.list_model(by_key) == [alice.get_model(model)]
        assert keys_of(alice.list_model({**by_key, "owner": ["MyOrg1MSP"]})) == [model]
        assert alice.list_model({**by_key, "owner": ["MyOrg2MSP"]}) == []
        assert model in keys_of(alice.list_model())

    def test_by_permissions(self, alice, made):
        everyone, private, second = (made(p)[1] for p in (PUBLIC, PRIVATE, only_to("MyOrg2MSP")))
        for organization, usable in {
            "MyOrg1MSP": {everyone, private, second},
            "MyOrg2MSP": {everyone, second},
            "MyOrg3MSP": {everyone},
        }.items():
            filters = {"key": [everyone, private, second], "permissions": [organization]}
            assert set(keys_of(alice.list_model(filters))) == usable


class TestTaskAssets:
    def test_list_task_input_assets(self, alice, bob, stock, worker, made):
        """Assets at once, what a parent makes once it is made."""
        parent = stock.training()
        _, model = made()
        inputs = [*stock.data, {"identifier": "shared", "asset_key": model}]
        task = alice.add_task(single_task(stock.training(inputs=inputs)))
        dataset = alice.get_dataset(stock.dataset)
        samples = [alice.get_data_sample(key) for key in stock.samples]
        assert bob.list_task_input_assets(task) == [
            *(asset("datasamples", "ASSET_DATA_SAMPLE", sample) for sample in samples),
            # All samples of the dataset are not the task's business.
            asset("opener", "ASSET_DATA_MANAGER", {**dataset, "data_sample_keys": []}),
            asset("shared", "ASSET_MODEL", alice.get_model(model)),
        ]
        alice.add_task(single_task(parent))
        child = alice.add_task(single_task(stock.aggregating(parent)))
        assert alice.list_task_input_assets(child) == []
        model = worker.ask("make_model", task=parent["task_id"], content=WEIGHTS.hex())
        assert alice.list_task_input_assets(child) == [
            asset("models", "ASSET_MODEL", alice.get_model(model))
        ]

    def test_list_task_output_assets(self, alice, bob, specs, stock, worker):
        outputs = [
            {"identifier": "performance", "kind": "ASSET_PERFORMANCE", "multiple": False},
            {"identifier": "models", "kind": "ASSET_MODEL", "multiple": True},
        ]
        function = alice.add_function(specs.function(outputs=outputs))
        permitted = {name: {"permissions": PUBLIC} for name in ("performance", "models")}
        spec = stock.training(function_key=function, outputs=permitted)
        task = alice.add_task(single_task(spec))
        assert alice.list_task_output_assets(task) == []
        models = [
            worker.ask("make_model", task=task, content=content, identifier="models")
            for content in ("00", "ff")
        ]
        worker.ask("make_performance", task=task, value=0.1)
        assert bob.list_task_output_assets(task) == [
            *(asset("models", "ASSET_MODEL", alice.get_model(key)) for key in models),
            asset("performance", "ASSET_PERFORMANCE", 0.1),
        ]
        with refused("TaskAssetMultipleFoundError"):
            alice.get_task_output_asset(task, "models")

    def test_get_task_output_asset(self, alice, stock, worker, made):
        task, model = made()
        found = alice.get_task_output_asset(task, "model")
        assert found == asset("model", "ASSET_MODEL", alice.get_model(model))
        score = alice.add_task(single_task(stock.scoring()))
        with refused("TaskAssetNotFoundError"):
            alice.get_task_output_asset(score, "performance")
        worker.ask("make_performance", task=score, value=1)
        found = alice.get_task_output_asset(score, "performance")
        assert found == asset("performance", "ASSET_PERFORMANCE", 1.0)

    def test_after_completion(self, alice, made):
        task, model = made()
        found = alice.get_task_output_asset(task, "model", wait_completion=True)
        assert alice.list_task_output_assets(task, wait_completion=True) == [found]
        assert found["asset"]["key"] == model

    def test_not_found(self, alice):
        with refused("NotFound"):
            alice.list_task_input_assets(unknown_key())
        with refused("NotFound"):
            alice.list_task_output_assets(unknown_key())


def asset(identifier: str, kind: str, value: object) -> dict:
    return {"identifier": identifier, "kind": kind, "asset": value}


class TestPerformances:
    def test_get_performances(self, alice, bob, specs, stock, worker):
        first = stock.scoring(metadata={"round_idx": "7"})
        base = stock.training()
        second = stock.scoring(base)
        plan = alice.add_compute_plan(specs.plan(second, base, first))["key"]
        worker.ask("make_performance", task=second["task_id"], value=0.25)
        worker.ask("make_performance", task=first["task_id"], value=0.1)
        done = [task["task_id"] for task in (first, second, base)]
        worker.ask("set_tasks", keys=done, status="STATUS_DONE")
        found = bob.get_performances(plan, wait_completion=True)
        dates = [alice.get_compute_plan(plan)[name] for name in ("start_date", "end_date")]
        assert found == {
            "compute_plan_key": [plan] * 2,
            "compute_plan_tag": ["first"] * 2,
            "compute_plan_status": ["PLAN_STATUS_DONE"] * 2,
            "compute_plan_start_date": [dates[0]] * 2,
            "compute_plan_end_date": [dates[1]] * 2,
            "compute_plan_metadata": [{"disease": "flu"}] * 2,
            "worker": ["MyOrg1MSP"] * 2,
            "task_key": [first["task_id"], second["task_id"]],
            "task_rank": [0, 1],
            "round_idx": [7, None],
            "identifier": ["performance"] * 2,
            "performance": [0.1, 0.25],
        }

    def test_of_a_plan_without_any(self, alice, specs):
        plan = alice.add_compute_plan(specs.plan())["key"]
        assert set(map(tuple, alice.get_performances(plan).values())) == {()}
        with refused("NotFound"):
            alice.get_performances(unknown_key())


LOGS = "Traceback: Größe ≠ 3\n" * 1000


class TestLogs:
    def test_get_logs(self, alice, victor, bob, carol, failed):
        task = failed(LOGS, only_to("MyOrg2MSP"))
        assert alice.get_task(task)["error_type"] == "EXECUTION_ERROR"
        for client in (alice, victor, bob):
            assert client.get_logs(task) == LOGS
        with refused("AuthorizationError", "Unauthorized"):
            carol.get_logs(task)

    def test_download_logs(self, alice, carol, specs, failed):
        task = failed(LOGS)
        folder = specs.folder()
        path = Path(alice.download_logs(task, str(folder)))
        assert path == folder / f"task_logs_{task}.txt"
        assert path.read_bytes() == LOGS.encode()
        with refused("AuthorizationError", "Unauthorized"):
            carol.download_logs(task, str(folder))

    def test_of_a_build_go_to_organisations_that_the_function_permits(
        self, alice, bob, carol, specs, stock, worker
    ):
        function = alice.add_function(specs.function(permissions=only_to("MyOrg2MSP")))
        task = alice.add_task(single_task(stock.training(function_key=function)))
        worker.ask("set_function", key=function, status="FUNCTION_STATUS_FAILED", logs=LOGS)
        worker.ask("set_tasks", keys=[task], status="STATUS_FAILED", error_type="BUILD_ERROR")
        assert alice.get_task(task)["error_type"] == "BUILD_ERROR"
        assert bob.get_logs(task) == LOGS
        with refused("AuthorizationError", "Unauthorized"):
            carol.get_logs(task)

    def test_not_found(self, alice, stock, failed):
        fine = alice.add_task(single_task(stock.training()))
        for task in (fine, failed(""), unknown_key()):
            with refused("NotFound"):
                alice.get_logs(task)


class TestWait:
    def test_wait_task(self, alice, stock, worker):
        """It is done while the SDK waits."""
        task = alice.add_task(single_task(stock.training()))
        done = {"keys": [task], "status": "STATUS_DONE"}
        work = Timer(0.3, worker.ask, ("set_tasks",), done)
        work.start()
        found = alice.wait_task(task, timeout=30, polling_period=0.1)
        work.join()
        assert found == alice.get_task(task)
        assert found["status"] == "STATUS_DONE"

    @pytest.mark.parametrize(
        ("status", "phrase"), [("STATUS_FAILED", "failed"), ("STATUS_CANCELED", "canceled")]
    )
    def test_that_is_not_done(self, alice, stock, worker, status, phrase):
        task = alice.add_task(single_task(stock.training()))
        worker.ask("set_tasks", keys=[task], status=status)
        with refused("FutureFailureError", phrase):
            alice.wait_task(task, timeout=30)
        assert alice.wait_task(task, raise_on_failure=False)["status"] == status

    def test_in_vain(self, alice, stock):
        task = alice.add_task(single_task(stock.training()))
        with refused("FutureTimeoutError"):
            alice.wait_task(task, timeout=0.05, polling_period=0.05)
