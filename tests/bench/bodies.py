"""Requests that register with one of two builds."""

import time
from typing import Any
from uuid import uuid4

import orjson

from tests import builders

from .client import WrongAnswer
from .sides import Side
from .world import ORGANIZATIONS
from .writes import Body, multipart_body

JSON = "application/json"


def post(side: Side, path: str, body: Body) -> tuple[float, Any]:
    """Register something; return the seconds that it took, and the answer."""
    request = side.api.request(f"/api/{path}/", "POST", body[0], Content_Type=body[1])
    with side.api.connect() as connection:
        begin = time.perf_counter()
        answer = connection.ask(request)
        seconds = time.perf_counter() - begin
    if answer.status not in (200, 201):
        raise WrongAnswer(f"{path}: {answer.status} {answer.body[:300]!r}")
    return seconds, answer.json()


class Bodies:
    """Makes requests to register with a build, about assets of its own."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self.dataset_key = post(side, "data_manager", self.dataset())[1]["key"]
        self.function_key = post(side, "function", self.function())[1]["key"]
        samples = post(side, "data_sample", self.samples(2, 10))[1]
        self._samples = [sample["key"] for sample in samples]

    def dataset(self) -> Body:
        return multipart_body(builders.wire_dataset(builders.dataset_spec()))

    def function(self) -> Body:
        return multipart_body(builders.wire_function(builders.function_spec()))

    def samples(self, count: int = 1000, size: int = 10_000) -> Body:
        values = {"data_manager_keys": [self.dataset_key]}
        contents = [str(n).encode().ljust(size) for n in range(count)]
        archives = [builders.zip_of({"data.csv": content}) for content in contents]
        files = {f"{n}": builders.upload(data, f"{n}.zip") for n, data in enumerate(archives)}
        return multipart_body(builders.multipart(values, **files))

    def tasks(self, count: int) -> Body:
        """Return a batch of tasks of three or four inputs, in chains of ten, of a new plan."""
        plan = str(uuid4())
        post(self._side, "compute_plan", (orjson.dumps({"key": plan, "name": "bench"}), JSON))
        tasks: list[dict[str, Any]] = []
        for index in range(count):
            sources = [("opener", self.dataset_key)]
            sources += [("datasamples", sample) for sample in self._samples]
            inputs: list[dict[str, Any]] = [
                {"identifier": name, "asset_key": key} for name, key in sources
            ]
            if index % 10:
                parent = {"parent_task_key": tasks[-1]["key"]}
                parent["parent_task_output_identifier"] = "model"
                inputs.append({"identifier": "shared", **parent})
            own = {"public": False, "authorized_ids": [ORGANIZATIONS[0]]}
            tasks.append(
                {
                    "key": str(uuid4()),
                    "compute_plan_key": plan,
                    "function_key": self.function_key,
                    "worker": ORGANIZATIONS[0],
                    "inputs": inputs,
                    "outputs": {"model": {"permissions": own, "transient": False}},
                }
            )
        return orjson.dumps({"tasks": tasks}), JSON
