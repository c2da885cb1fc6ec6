"""Work that runs: a runner takes what the SDK registers, and the SDK gets the results."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import requests

from .refusals import refused
from .specs import SCORE, keys_of

pytestmark = pytest.mark.sdk

WEIGHTS = b"weights" * 100_000
WRONG = "Wrong"
TRACEBACK = "Traceback (most recent call last):\n  été\nValueError: no ward\n"


class Runner(threading.Thread):
    """Runs what there is as a runner does, but for the functions: their outputs are made up."""

    def __init__(self, url: str, secret: str) -> None:
        super().__init__(daemon=True)
        self.url, self.must_end = f"{url}/runner", threading.Event()
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {secret}"

    def run(self) -> None:
        while not self.must_end.is_set():
            for job in self._post("claim/", {"jobs": 3, "wait": 1})["jobs"]:
                self._run(job)

    def _post(self, path: str, body: Any) -> Any:
        answer = self.session.post(f"{self.url}/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _run(self, job: dict[str, Any]) -> None:
        path = f"job/{job['key']}"
        for address in [job["function"]["address"], *(one["address"] for one in job["inputs"])]:
            self.session.get(address, timeout=60).raise_for_status()
        if job["kind"] == "task" and job["function"]["name"] == WRONG:
            self._post(f"{path}/fail/", {"error_type": "EXECUTION_ERROR", "logs": TRACEBACK})
            return
        for output in job["outputs"]:
            if output["kind"] == "ASSET_MODEL":
                self._send(f"{self.url}/{path}/model/{uuid4()}/", output["identifier"])
        measured = [one for one in job["outputs"] if one["kind"] == "ASSET_PERFORMANCE"]
        performances = {one["identifier"]: 0.75 for one in measured}
        self._post(f"{path}/finish/", {"performances": performances})

    def _send(self, address: str, identifier: str) -> None:
        checksum = hashlib.sha256(WEIGHTS).hexdigest()
        query = {"identifier": identifier, "checksum": checksum, "size": len(WEIGHTS)}
        headers = {"Content-Type": "application/octet-stream"}
        half = len(WEIGHTS) // 2
        for offset, part in ((0, WEIGHTS[:half]), (half, WEIGHTS[half:])):
            self.session.put(
                address, params=query | {"offset": offset}, data=part, headers=headers, timeout=60
            ).raise_for_status()


@pytest.fixture
def use() -> str:
    """The runner would run what other tests register."""
    return "-work"


@pytest.fixture(autouse=True)
def _runner(sdk, worker) -> Iterator[None]:
    secret = worker.ask("make_runner", organization="MyOrg1MSP")
    runner = Runner(f"{sdk.server.url}/api", secret)
    runner.start()
    yield
    runner.must_end.set()
    runner.join(60)


def test_a_study(alice, bob, specs, stock):
    first, second = stock.training(), stock.training()
    both = stock.aggregating(first, second)
    score = stock.scoring(both)
    plan = alice.add_compute_plan(specs.plan(first, second, both, score))["key"]
    found = alice.wait_compute_plan(plan, timeout=60)
    assert found["status"] == "PLAN_STATUS_DONE"
    assert found["done_count"] == 4
    assert alice.wait_function(stock.train, timeout=60)["status"] == "FUNCTION_STATUS_READY"
    assert alice.wait_task(score["task_id"], timeout=60)["status"] == "STATUS_DONE"
    assert bob.get_performances(plan)["performance"] == [0.75]
    models = alice.list_model({"compute_task_key": [both["task_id"]]})
    folder = specs.folder()
    path = Path(alice.download_model(keys_of(models)[0], str(folder)))
    assert path.read_bytes() == WEIGHTS
    path = Path(alice.download_model_from_task(first["task_id"], "model", str(folder)))
    assert path.read_bytes() == WEIGHTS
    with refused("AuthorizationError", "Unauthorized"):
        bob.download_model(keys_of(models)[0], str(specs.folder()))


def test_a_function_that_fails(alice, bob, specs, stock):
    function = alice.add_function(specs.function(name=WRONG, **SCORE))
    task = stock.scoring(function_key=function)
    plan = alice.add_compute_plan(specs.plan(task))["key"]
    with refused("FutureFailureError", "failed"):
        alice.wait_compute_plan(plan, timeout=60)
    with refused("FutureFailureError", "failed"):
        alice.wait_task(task["task_id"], timeout=60)
    assert alice.get_task(task["task_id"])["error_type"] == "EXECUTION_ERROR"
    path = Path(alice.download_logs(task["task_id"], str(specs.folder())))
    assert path.read_text() == TRACEBACK
    assert alice.get_logs(task["task_id"]) == TRACEBACK
    with refused("AuthorizationError", "Unauthorized"):
        bob.get_logs(task["task_id"])
