"""A client that registers everything there is, and remembers what it was answered."""

import hashlib
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from assets.compute.inputs import grouped
from assets.compute.specs import TaskSpec
from assets.datasets.specs import DataSampleSpec
from tests import builders

from .server import Server

LARGE = 3_000_000  # bytes: above what Django keeps in memory


@dataclass
class Attempt:
    """One registration: what was sent, and what came back, if anything did."""

    kind: str
    name: str = ""
    keys: list[str] = field(default_factory=list)
    checksums: list[str] = field(default_factory=list)
    of: list[str] = field(default_factory=list)
    answer: Any = None
    answered: bool = False


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Client(threading.Thread):
    """Registers until all have together sent as much as they should."""

    def __init__(self, number: int, seed: int, server: Server, left: "Left", signs: dict) -> None:
        super().__init__(daemon=True)
        self.chance = random.Random(f"{seed}-{number}")  # the same every time
        self.server, self.left, self.signs = server, left, signs
        self.attempts: list[Attempt] = []
        self.datasets: list[Any] = []
        self.functions: list[Any] = []
        self.plans: list[str] = []
        self.samples: list[tuple[str, str]] = []
        self.wrong: list[str] = []
        self.downloads = 0

    def run(self) -> None:
        # What the others need comes first.
        for action in (self.dataset, self.function, self.data_samples, self.plan):
            while self.left.take() and not action():
                pass
        actions: list[Callable[[], Any]] = [
            *(self.dataset, self.function, self.data_samples, self.data_samples),
            *(self.plan, self.batch, self.rename, self.link, self.ahead, self.ahead),
        ]
        while self.left.take():
            self.chance.choice(actions)()
            if self.chance.random() < 0.3:
                self.download()

    # --- Requests --------------------------------------------------------------------------------

    def send(self, attempt: Attempt, path: str, *, method: str = "POST", **body: Any) -> bool:
        """Send one request; return whether it was answered. Any answer but 2xx is wrong."""
        self.attempts.append(attempt)
        self.server.up.wait(60)
        try:
            answer = requests.request(
                method, self.server.url + path, headers=self.signs["api"], timeout=60, **body
            )
            content = answer.json()
        except (requests.RequestException, ValueError):
            time.sleep(0.05)
            return False
        if answer.status_code >= 300:
            self.wrong.append(f"{attempt.kind}: {answer.status_code} {answer.text[:300]}")
            return False
        attempt.answer, attempt.answered = content, True
        return True

    def content(self) -> bytes:
        size = LARGE if self.chance.random() < 0.1 else self.chance.randrange(1000, 300_000)
        return self.chance.randbytes(size)

    def multipart(self, wire: dict[str, Any]) -> dict[str, Any]:
        files = {name: (file.name, file) for name, file in wire.items() if name != "json"}
        return {"data": {"json": wire["json"]}, "files": files}

    # --- What is registered ----------------------------------------------------------------------

    def dataset(self) -> bool:
        opener, description = self.content(), self.content()
        name = f"dataset {uuid4()}"
        spec = builders.dataset_spec(
            name=name,
            data_opener=builders.upload(opener, "opener.py"),
            description=builders.upload(description, "description.md"),
        )
        attempt = Attempt("dataset", name, checksums=[sha256(opener), sha256(description)])
        if done := self.send(
            attempt, "/api/data_manager/", **self.multipart(builders.wire_dataset(spec))
        ):
            self.datasets.append(attempt.answer)
        return done

    def function(self) -> bool:
        archive, name = (
            builders.zip_of({**builders.CODE, "data": self.content()}),
            f"function {uuid4()}",
        )
        spec = builders.function_spec(name=name, file=builders.upload(archive, "function.zip"))
        checksums = [sha256(archive), sha256(builders.DESCRIPTION)]
        attempt = Attempt("function", name, checksums=checksums)
        if done := self.send(
            attempt, "/api/function/", **self.multipart(builders.wire_function(spec))
        ):
            self.functions.append(attempt.answer)
        return done

    def data_samples(self) -> bool:
        dataset = self.chance.choice(self.datasets)["key"]
        count = self.chance.randint(1, 5)
        archives = [builders.zip_of({"data.csv": self.content()}) for _ in range(count)]
        named = {f"part{n}": builders.upload(data, f"{n}.zip") for n, data in enumerate(archives)}
        attempt = Attempt(
            "data samples", checksums=[sha256(data) for data in archives], of=[dataset]
        )
        body = self.multipart(builders.wire_samples(DataSampleSpec([dataset], named)))
        if len(archives) > 1:
            body["data"]["json"] = body["data"]["json"][:-1] + ', "multiple": true}'
        if done := self.send(attempt, "/api/data_sample/", **body):
            self.samples += [(item["key"], dataset) for item in attempt.answer]
        return done

    def _tasks(self) -> list[TaskSpec]:
        function = self.chance.choice(self.functions)["key"]
        sample, dataset = self.chance.choice(self.samples)
        tasks: list[TaskSpec] = []
        for _ in range(self.chance.randint(1, 30)):
            inputs = grouped(
                [
                    builders.InputRef("opener", dataset),
                    builders.InputRef("datasamples", sample),
                    *([builders.child_input(tasks[-1])] if tasks else []),
                ]
            )
            outputs = {"model": builders.OutputSpec(builders.PRIVATE)}
            tasks.append(TaskSpec(uuid4(), function, "MyOrg1MSP", inputs=inputs, outputs=outputs))
        return tasks

    def plan(self) -> bool:
        spec = builders.plan_spec(name=f"plan {uuid4()}", tasks=self._tasks())
        attempt = Attempt(
            "plan", spec.name, [str(task.key) for task in spec.tasks], of=[str(spec.key)]
        )
        body = builders.wire_plan(spec)
        done = self._perhaps_again(attempt, "/api/compute_plan/", body)
        if done:
            self.plans.append(str(spec.key))
        return done

    def batch(self) -> bool:
        plan, tasks = self.chance.choice(self.plans), self._tasks()
        attempt = Attempt("tasks", keys=[str(task.key) for task in tasks], of=[plan])
        body = {"tasks": [builders.wire_task(task, plan) for task in tasks]}
        return self._perhaps_again(attempt, "/api/task/bulk_create/", body)

    def _perhaps_again(self, attempt: Attempt, path: str, body: Any) -> bool:
        """Sometimes send a request again that was not answered: it must not register twice."""
        if self.send(attempt, path, json=body):
            return True
        again = Attempt(attempt.kind, attempt.name, attempt.keys, of=attempt.of)
        return self.chance.random() < 0.5 and self.send(again, path, json=body)

    def rename(self) -> bool:
        dataset, name = self.chance.choice(self.datasets), f"dataset {uuid4()}"
        attempt = Attempt("rename", name, [dataset["key"]])
        path = f"/api/data_manager/{dataset['key']}/"
        return self.send(attempt, path, method="PUT", json={"name": name})

    def link(self) -> bool:
        samples = [self.chance.choice(self.samples)[0] for _ in range(3)]
        dataset = self.chance.choice(self.datasets)["key"]
        attempt = Attempt("link", keys=sorted(set(samples)), of=[dataset])
        body = {"data_sample_keys": attempt.keys, "data_manager_keys": [dataset]}
        return self.send(attempt, "/api/data_sample/bulk_update/", json=body)

    def ahead(self) -> bool:
        """Send a file ahead of its form, as the dashboard's script does."""
        data, name = builders.zip_of({"data.csv": self.content()}), f"{uuid4()}.zip"
        attempt = Attempt("upload", name, checksums=[sha256(data)])
        self.attempts.append(attempt)
        self.server.up.wait(60)
        try:
            answer = requests.post(
                f"{self.server.url}/uploads/data-sample/",
                data={"field": "archives"},
                files={"file": (name, data)},
                timeout=60,
                **self.signs["browser"],
            )
        except requests.RequestException:
            time.sleep(0.05)
            return False
        if answer.status_code != 200:
            self.wrong.append(f"upload: {answer.status_code} {answer.text[:300]}")
        attempt.answered = answer.status_code == 200
        return attempt.answered

    def download(self) -> None:
        """What was answered can be had meanwhile, whole."""
        opener = self.chance.choice(self.datasets)["opener"]
        self.server.up.wait(60)
        try:
            address = opener["storage_address"]
            answer = requests.get(address, headers=self.signs["api"], timeout=60)
        except requests.RequestException:
            return
        self.downloads += 1
        if (answer.status_code, sha256(answer.content)) != (200, opener["checksum"]):
            self.wrong.append(f"download {address}: {answer.status_code}")


class Left:
    """How many registrations are left to send, for several threads."""

    def __init__(self, count: int) -> None:
        self.count, self._lock = count, threading.Lock()

    def take(self) -> bool:
        with self._lock:
            self.count -= 1
            return self.count >= 0
