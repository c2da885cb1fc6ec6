"""A long time of mixed reads and writes from many clients: does anything fail?"""

import itertools
import re
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import orjson

from .client import Server, WrongAnswer
from .machine import memory, quantile
from .pages import session_cookie
from .serving import Serving
from .writes import Registrar

CLIENTS = 16
# What a log must not say: of a lock that was not had, of a fault, of a worker that was replaced.
_FAILURES = re.compile(
    r"locked|deadlock|could not serialize|Traceback|Internal Server Error|WORKER TIMEOUT|SIGKILL"
)
_LISTS = ("data_manager", "data_sample", "function", "compute_plan", "task", "news_feed")
_PAGES = ("datasets", "functions", "compute-plans", "tasks", "activity")
_KINDS = ("data_manager", "function", "compute_plan", "task")


class Soak:
    """Clients that ask and register at random until the time is up."""

    def __init__(self, serving: Serving, registrar: Registrar) -> None:
        self.serving, self.registrar = serving, registrar
        self.api: Server = registrar.server
        self.site = serving.as_client(Cookie=session_cookie(), Accept="text/html")
        self.keys: dict[str, list[str]] = defaultdict(list)
        self.statuses: Counter[str] = Counter()
        self.errors: list[str] = []
        self.taken: dict[str, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        # Of a hundred operations, how many are of each kind.
        self._operations: dict[Callable[[Random], bytes], int] = {
            self._list: 30,
            self._one: 25,
            self._page: 15,
            self._graph: 5,
            self._plan_with_tasks: 8,
            self._tasks: 4,
            self._dataset: 3,
            self._function: 2,
            self._samples: 1,
            self._rename: 4,
            self._cancel: 3,
        }

    def run(self, seconds: float, clients: int = CLIENTS) -> dict[str, Any]:
        """Let the clients work; return counts, times in milliseconds, and what failed."""
        with self.api.connect() as connection:
            for kind in _KINDS:
                path = f"/api/{kind}/?page_size=500&ordering=-creation_date"
                rows = connection.expect(self.api.request(path)).json()["results"]
                self.keys[kind] += [row["key"] for row in rows]
        before, end = memory(self.serving.workers), time.monotonic() + seconds
        threads = [
            threading.Thread(target=self._work, args=(Random(number), end))
            for number in range(clients)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        requests = sum(self.statuses.values())
        return {
            "name": f"{clients} clients, {seconds / 60:g} minutes",
            "requests": requests,
            "per_second": requests / seconds,
            "statuses": dict(sorted(self.statuses.items())),
            "p95_ms": {name: quantile(taken, 0.95) * 1000 for name, taken in self.taken.items()},
            "memory_before": before,
            "memory_after": memory(self.serving.workers),
            "failures": [*self.errors, *self._logged()],
        }

    def _work(self, random: Random, end: float) -> None:
        choices, weights = zip(*self._operations.items(), strict=True)
        connection = self.api.connect()
        while time.monotonic() < end:
            operation = random.choices(choices, weights)[0]
            name = operation.__name__.strip("_").replace("_", " ")
            try:
                # What is to be sent may take a request of its own, and the server keeps a
                # connection for no longer than that.
                request = operation(random)
                if connection.has_ended:
                    connection.close()
                    connection = self.api.connect()
                begin = time.perf_counter()
                answer = connection.ask(request)
                seconds = time.perf_counter() - begin
            except (OSError, WrongAnswer, AssertionError) as error:
                with self._lock:
                    self.errors.append(f"{name}: {type(error).__name__} {error}"[:300])
                connection.close()
                connection = self.api.connect()
                continue
            with self._lock:
                self.statuses[f"{answer.status}"] += 1
                self.taken[name].append(seconds)
                if answer.status >= 500:
                    self.errors.append(f"{name}: {answer.status} {answer.body[:200]!r}")
            if connection.closes:
                connection.close()
                connection = self.api.connect()
        connection.close()

    def _logged(self) -> list[str]:
        """Return the lines of the logs that report failures."""
        logs: list[Path] = [self.serving.log, self.serving.log.parent / "postgresql/server.log"]
        lines = itertools.chain.from_iterable(
            log.read_text(errors="replace").splitlines() for log in logs if log.exists()
        )
        return [line for line in lines if _FAILURES.search(line)]

    # --- What clients ask ------------------------------------------------------------------------

    def _any(self, random: Random, kind: str) -> str:
        return random.choice(self.keys[kind])

    def _list(self, random: Random) -> bytes:
        order = random.choice(("", "&ordering=-creation_date", "&owner=AlphaMSP"))
        size = random.choice((10, 10, 100))
        return self.api.request(f"/api/{random.choice(_LISTS)}/?page_size={size}{order}")

    def _one(self, random: Random) -> bytes:
        kind = random.choice(_KINDS)
        return self.api.request(f"/api/{kind}/{self._any(random, kind)}/")

    def _graph(self, random: Random) -> bytes:
        return self.api.request(
            f"/api/compute_plan/{self._any(random, 'compute_plan')}/workflow_graph/"
        )

    def _page(self, random: Random) -> bytes:
        path = f"/{random.choice(_PAGES)}/"
        if path == "/compute-plans/" and random.random() < 0.5:
            path += f"{self._any(random, 'compute_plan')}/"
        return self.site.request(path)

    # --- What clients register -------------------------------------------------------------------

    def _put(self, path: str, method: str, value: Any) -> bytes:
        body = orjson.dumps(value)
        return self.api.request(path, method, body, Content_Type="application/json")

    def _plan_with_tasks(self, random: Random) -> bytes:
        plan = str(uuid4())
        tasks = self.registrar.plan_tasks(random.choice((1, 10, 50)))
        self.keys["compute_plan"].append(plan)
        body = {"key": plan, "name": f"soak {plan[:8]}", "tasks": tasks}
        return self._put("/api/compute_plan/", "POST", body)

    def _tasks(self, random: Random) -> bytes:
        return self.registrar.request("/api/task/bulk_create/", self.registrar.tasks_body(100)())

    def _dataset(self, random: Random) -> bytes:
        return self.registrar.request("/api/data_manager/", self.registrar.dataset_body())

    def _function(self, random: Random) -> bytes:
        return self.registrar.request("/api/function/", self.registrar.function_body())

    def _samples(self, random: Random) -> bytes:
        return self.registrar.request("/api/data_sample/", self.registrar.samples_body())

    def _rename(self, random: Random) -> bytes:
        path = f"/api/data_manager/{self.registrar.dataset_key}/"
        return self._put(path, "PUT", {"name": f"Soaked {random.randrange(100)}"})

    def _cancel(self, random: Random) -> bytes:
        return self._put(
            f"/api/compute_plan/{self._any(random, 'compute_plan')}/cancel/", "POST", {}
        )
