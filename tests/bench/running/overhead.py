"""What the registry adds to a task, from its claim to its end, without fetching and running it."""

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

from tests.bench.builds import NOW
from tests.bench.client import Connection, Server, WrongAnswer
from tests.bench.databases import Registry, empty_registry
from tests.bench.machine import Meter, median
from tests.bench.serving import serving

RUNNERS = 8
TASKS = 1_000
FEW, MANY = 10, 10_000
_CLAIM = {"jobs": 1, "wait": 0, "version": "bench", "engine": "none", "data_root": False}


class Idle(Exception):
    """There was no work."""


class BareRunner:
    """A runner that reports a performance without running anything."""

    def __init__(self, server: Server, token: str) -> None:
        self._server = Server(server.host, server.port, {"Authorization": f"Token {token}"})
        self._connection: Connection = self._server.connect()

    def claim(self) -> str:
        """Return the key of a job. Raises: Idle."""
        jobs = self._post("claim", _CLAIM)["jobs"]
        if not jobs:
            raise Idle
        return jobs[0]["key"]

    def finish(self, job: str) -> None:
        self._post(f"job/{job}/finish", {"performances": {"performance": 0.5}, "steps": {}})

    def give_back(self, job: str) -> None:
        self._post(f"job/{job}/give_back", {})

    def _post(self, path: str, content: dict[str, Any]) -> Any:
        body = json.dumps(content).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json;version=0.0"}
        request = self._server.request(f"/api/runner/{path}/", "POST", body, **headers)
        answer = self._connection.ask(request)
        if answer.status != 200:
            raise WrongAnswer(f"{path}: {answer.status} {answer.body[:300]!r}")
        if self._connection.closes:
            self._connection.close()
            self._connection = self._server.connect()
        return answer.json()


def overhead(database: str) -> Iterator[dict[str, Any]]:
    """Yield the lines: a task with one runner, tasks a second with eight, and claims."""
    with empty_registry(database) as filled:
        for command in (["migrate", "-v0"], ["collectstatic", "--noinput", "-v0"]):
            NOW.run("manage.py", *command, **filled.environment)
        with serving(filled.folder, **filled.environment) as server:
            client = server.as_client()
            meters = [Meter(server.pid), Meter(filled.postmaster)]
            yield _one_after_the_other(filled, client, meters)
            yield _at_once(filled, client)
            yield _claims(filled, client)


def _tokens(filled: Registry, tasks: int, runners: int) -> list[str]:
    command = ("-m", "tests.bench.running.waiting", str(tasks), str(runners))
    return json.loads(NOW.run(*command, captured=True, **filled.environment))


def _one_after_the_other(filled: Registry, client: Server, meters: list[Meter]) -> dict[str, Any]:
    runner = BareRunner(client, _tokens(filled, TASKS, 1)[0])
    for meter in meters:
        meter.seconds()
    taken = []
    with contextlib.suppress(Idle):
        while True:
            begin = time.perf_counter()
            runner.finish(runner.claim())
            taken.append(time.perf_counter() - begin)
    assert len(taken) == TASKS
    computing = sum(meter.seconds() for meter in meters)
    return {
        "name": "a task, claim to finish",
        "unit": "ms",
        "values": [median(taken) * 1000],
        "goal": 15,
        "at_most": True,
        "cpu_ms": computing / TASKS * 1000,
    }


def _at_once(filled: Registry, client: Server) -> dict[str, Any]:
    """Let eight runners run a plan of which no task waits for another."""
    runners = [BareRunner(client, token) for token in _tokens(filled, TASKS, RUNNERS)]
    done: list[int] = []
    begin = time.perf_counter()

    def work(runner: BareRunner) -> None:
        finished = 0
        with contextlib.suppress(Idle):
            while True:
                runner.finish(runner.claim())
                finished += 1
        done.append(finished)

    threads = [threading.Thread(target=work, args=[runner]) for runner in runners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    # A runner that found no work while there was some would have left its share to the others.
    assert sum(done) == TASKS
    return {
        "name": "8 runners",
        "unit": "tasks/s",
        "values": [TASKS / seconds],
        "goal": 150,
        "at_most": False,
        "fewest": min(done),
    }


def _claims(filled: Registry, client: Server) -> dict[str, Any]:
    """Measure a claim while few tasks wait, and while many do."""
    found = []
    for waiting in (FEW, MANY):
        runner = BareRunner(client, _tokens(filled, waiting, 1)[0])
        taken = []
        for _ in range(200):
            begin = time.perf_counter()
            job = runner.claim()
            taken.append(time.perf_counter() - begin)
            runner.give_back(job)
        found.append(median(taken) * 1000)
    return {
        "name": "a claim, 10,000 tasks wait and not 10",
        "unit": "ms",
        "values": found,
        "goal": 1.3,
        "at_most": True,
    }
