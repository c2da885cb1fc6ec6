"""A stand-in for a runner that dies at any moment, starts again, and sends reports too late."""

import hashlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import requests

from .server import Server

# What it may be answered. Anything else is wrong.
EXPECTED = {200, 201, 409}
# Reports come this long after the death of a runner whose lease may have run out.
LATE = 3.0


class Killed(Exception):
    """The runner is killed here."""


@dataclass
class Answers:
    """What runners were answered, by the keys of tasks."""

    finished: dict[str, float] = field(default_factory=dict)
    # By late reports, which change nothing if the first one arrived.
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    # The checksums of the models of whoever finished them.
    models: dict[str, str] = field(default_factory=dict)
    late: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


class Worker(threading.Thread):
    """Claims, sends a model in parts, and finishes or fails, until it must end."""

    def __init__(
        self, number: int, seed: int, server: Server, secret: str, answers: Answers
    ) -> None:
        super().__init__(daemon=True)
        self.chance = random.Random(f"worker {seed}-{number}")
        self.server, self.answers = server, answers
        self.headers = {"Authorization": f"Token {secret}"}
        self.must_die, self.must_end = threading.Event(), threading.Event()
        self.deaths = 0
        # Jobs that it did not end, and what it would have sent next.
        self._left: list[tuple[float, Any]] = []

    def run(self) -> None:
        while not self.must_end.is_set():
            try:
                self._work()
            except Killed:
                self.deaths += 1
                self.must_die.clear()
            except requests.RequestException:
                time.sleep(0.1)

    def _work(self) -> None:
        self._report_late()
        claim = {"jobs": self.chance.randint(1, 3), "wait": 0.5}
        answer = self._send("POST", "claim/", json=claim)
        for job in answer.get("jobs", ()) if answer else ():
            self._run(job)

    def _run(self, job: dict[str, Any]) -> None:
        path = f"job/{job['key']}/"
        self._left.append((time.monotonic() + LATE, job))
        if job["kind"] == "build":
            self._until_answered("POST", f"{path}finish/", json={})
            return
        task, luck = job["task"]["key"], self.chance.random()
        if luck < 0.05:
            self._until_answered("POST", f"{path}give_back/", json={})
            return
        self._until_answered("POST", "renew/", json={"jobs": [job["key"]]})
        if luck < 0.1:
            body = {"error_type": "EXECUTION_ERROR", "logs": "Traceback " * 1000}
            if self._until_answered("POST", f"{path}fail/", json=body) is not None:
                self.answers.failed.add(task)
            return
        checksum = self._send_model(path)
        if not checksum:
            return
        value = self.chance.random()
        body = {"performances": {"performance": value}, "steps": {"task_execution": 5}}
        if self._until_answered("POST", f"{path}finish/", json=body) is not None:
            self.answers.finished[task] = value
            self.answers.models[task] = checksum

    def _send_model(self, path: str) -> str:
        """Send a model in two parts, again from where it broke off.

        Return its checksum, or a blank text if it is not there.
        """
        content = self.chance.randbytes(self.chance.randrange(1, 400_000))
        checksum, key = hashlib.sha256(content).hexdigest(), str(uuid4())
        query = {"identifier": "model", "checksum": checksum, "size": len(content)}
        half = self.chance.randrange(len(content))
        offset = 0
        for _try in range(20):
            end = half if offset < half else len(content)
            try:
                answer = self._send(
                    "PUT",
                    f"{path}model/{key}/",
                    params=query | {"offset": offset},
                    data=self._pieces(content[offset:end]),
                    headers={"Content-Type": "application/octet-stream"},
                )
            except requests.RequestException:
                time.sleep(0.05)
                found = self._until_answered("GET", f"{path}model/{key}/")
                answer = found and {"received": found["received"]}
            if answer is None:
                return ""
            if answer.get("key") or answer["received"] == len(content):
                return checksum
            offset = answer["received"]
        return ""

    def _pieces(self, content: bytes) -> Iterator[bytes]:
        """Yield the content; killed in the middle, it breaks off."""
        middle = len(content) // 2
        yield content[:middle]
        self._perhaps_die()
        yield content[middle:]

    def _report_late(self) -> None:
        """Report on a job from before the last death, which another runner may have by now."""
        now = time.monotonic()
        due = [job for when, job in self._left if when <= now]
        self._left = [(when, job) for when, job in self._left if when > now][-20:]
        for job in due[-2:]:
            if job["kind"] != "task":
                continue
            body = {"performances": {"performance": 2.0}}
            path = f"{self.server.url}/api/runner/job/{job['key']}/finish/"
            answer = requests.post(path, json=body, headers=self.headers, timeout=60)
            self._note("late finish", answer)
            self.answers.late.append(answer.status_code)
            if answer.status_code == 200:
                self.answers.done.add(job["task"]["key"])

    # --- Requests --------------------------------------------------------------------------------

    def _perhaps_die(self) -> None:
        if self.must_die.is_set():
            raise Killed

    def _send(self, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        """Return the answer; None if the job is lost. It dies before or after, if it must."""
        self._perhaps_die()
        self.server.up.wait(60)
        headers = self.headers | more.pop("headers", {})
        url = f"{self.server.url}/api/runner/{path}"
        answer = requests.request(method, url, headers=headers, timeout=60, **more)
        self._perhaps_die()
        self._note(f"{method} {path}", answer)
        body: dict[str, Any] = answer.json()
        return None if answer.status_code == 409 and "received" not in body else body

    def _until_answered(self, method: str, path: str, **more: Any) -> dict[str, Any] | None:
        while True:
            try:
                return self._send(method, path, **more)
            except requests.RequestException:
                time.sleep(0.05)

    def _note(self, what: str, answer: requests.Response) -> None:
        if answer.status_code not in EXPECTED:
            self.answers.wrong.append(f"{what}: {answer.status_code} {answer.text[:300]}")
