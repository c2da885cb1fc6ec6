"""Every endpoint that reads: latency, throughput, what it computes, and its floor."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from assets.models import ComputePlan, Dataset, Function, Task

from . import floors
from .client import Server, pages_of, requests_per_second
from .floors import Floor
from .goals import CLIENTS
from .serving import Serving
from .statements import count_statements
from .timing import timed

OLDEST = "ORDER BY creation_date, key LIMIT ?"
NEWEST = "ORDER BY creation_date DESC, key DESC LIMIT ?"
# Lists are read in pages of this size until near their end.
STRIDE = 10_000


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to ask for.

    Attributes:
        kind: "list", whose pages are followed to the last, "filtered" (a list that is not), or
            "one".
    """

    name: str
    path: str
    floor: Floor
    kind: str = "list"


def cases() -> Iterator[Case]:
    """Yield what is asked for, with rows from the middle of the data set."""
    yield from _of_datasets()
    yield from _of_functions()
    yield from _of_tasks()
    yield from _of_plans()


def middle(queryset: Any) -> Any:
    """Return a row that is neither the first nor the last."""
    rows = queryset.order_by("creation_date", "pk")
    return rows[rows.count() // 2]


def _in_database(key: Any) -> Any:
    """Return a key as raw SQL compares it."""
    from django.db import connection

    return key.hex if connection.vendor == "sqlite" else key


def _like() -> str:
    from django.db import connection

    return "LIKE" if connection.vendor == "sqlite" else "ILIKE"


def _list(
    name: str, path: str, rows: Callable, size: int, where: str = OLDEST, *parameters: Any
) -> Case:
    sign = "&" if "?" in path else "?"
    kind = "list" if where == OLDEST and size in (10, 100) and sign == "?" else "filtered"
    floor = partial(rows, where, *parameters, size)
    return Case(f"{name}, {size}", f"{path}{sign}page_size={size}", floor, kind)


def _one(name: str, path: str, rows: Callable, key: Any, where: str = "WHERE key = ?") -> Case:
    return Case(name, f"{path}{key}/", partial(rows, where, _in_database(key)), "one")


def _of_datasets() -> Iterator[Case]:
    path, key = "/api/data_manager/", middle(Dataset.objects).pk
    yield _list("datasets", path, floors.datasets, 10)
    yield _list("datasets", path, floors.datasets, 100)
    yield _one("dataset", path, floors.datasets, key)
    where = f"WHERE name {_like()} ? {OLDEST}"
    yield _list("datasets, match", f"{path}?match=retina", floors.datasets, 10, where, "%retina%")
    where = f"WHERE owner_id = ? {NEWEST}"
    query = "?owner=BetaMSP&ordering=-creation_date"
    yield _list("datasets, of one owner", path + query, floors.datasets, 10, where, "BetaMSP")
    yield _list("samples", "/api/data_sample/", floors.samples, 100)


def _of_functions() -> Iterator[Case]:
    path, key = "/api/function/", middle(Function.objects).pk
    yield _list("functions", path, floors.functions, 100)
    yield _one("function", path, floors.functions, key)
    where = f"WHERE name {_like()} ? {OLDEST}"
    yield _list("functions, match", f"{path}?match=train", floors.functions, 10, where, "%train%")


def _of_tasks() -> Iterator[Case]:
    path, task = "/api/task/", middle(Task.objects.filter(status="STATUS_DONE"))
    yield _list("tasks", path, floors.tasks, 100)
    yield _one("task", path, floors.tasks, task.pk)
    yield _list("tasks, newest", f"{path}?ordering=-creation_date", floors.tasks, 100, NEWEST)
    for status in ("STATUS_DONE", "STATUS_FAILED"):
        query, where = f"?status={status}", f"WHERE status = ? {OLDEST}"
        name = f"tasks, {status.removeprefix('STATUS_').lower()}"
        yield _list(name, path + query, floors.tasks, 10, where, status)
    query, where = "?worker=BetaMSP&ordering=-creation_date", f"WHERE worker_id = ? {NEWEST}"
    yield _list("tasks, of one worker", path + query, floors.tasks, 10, where, "BetaMSP")
    where, key = f"WHERE function_id = ? {OLDEST}", task.function_id
    query = f"?function_key={key}"
    function = _in_database(key)
    yield _list("tasks, of one function", path + query, floors.tasks, 10, where, function)
    query, where = f"?match={str(task.pk)[:8]}", f"WHERE key = ? {OLDEST}"
    yield _list("tasks, match", path + query, floors.tasks, 10, where, _in_database(task.pk))


def _of_plans() -> Iterator[Case]:
    path = "/api/compute_plan/"
    plan = middle(ComputePlan.objects.filter(task_count=100)).pk
    large = ComputePlan.objects.order_by("-task_count").first()
    assert large is not None
    oldest = OLDEST.replace("creation_date, key", "p.creation_date, p.key")
    for size in (10, 100):
        rows = partial(floors.plans, oldest, size)
        yield Case(f"plans, {size}", f"{path}?page_size={size}", rows)
    yield _one("plan", path, floors.plans, plan, "WHERE p.key = ?")
    query, where = "?status=PLAN_STATUS_DOING", f"WHERE p.status = ? {oldest}"
    yield _list("plans, doing", path + query, floors.plans, 10, where, "PLAN_STATUS_DOING")
    query, where = "?match=study+11", f"WHERE p.name {_like()} ? AND p.name {_like()} ? {oldest}"
    yield _list("plans, match", path + query, floors.plans, 10, where, "%study%", "%11%")
    where = f"WHERE compute_plan_id = ? {OLDEST}"
    rows = partial(floors.tasks, where, _in_database(plan), 100)
    yield Case("plan's tasks, 100", f"{path}{plan}/task/?page_size=100", rows, "filtered")
    for key, count in ((plan, "100"), (large.pk, "1,000")):
        rows = partial(floors.graph, _in_database(key))
        yield Case(f"graph, {count} tasks", f"{path}{key}/workflow_graph/", rows, "one")


# --- Measuring -----------------------------------------------------------------------------------


def last_page(server: Server, path: str) -> str:
    """Return the path of the last full page that a client comes to who follows `next`.

    The walk goes in pages of `STRIDE`, and from the last of these on in pages of the wanted size,
    so that `next` is the server's own however it is made.
    """
    wanted = f"page_size={path.rpartition('=')[2]}"
    size = int(wanted.rpartition("=")[2])
    begin = path
    for far, _ in pages_of(server, path.replace(wanted, f"page_size={STRIDE}")):
        begin = far.replace(f"page_size={STRIDE}", wanted)
    # Where a page is named by its number, the same row is on another one.
    number = re.search(r"\bpage=(\d+)", begin)
    if number:
        page = (int(number[1]) - 1) * (STRIDE // size) + 1
        begin = begin.replace(number[0], f"page={page}")
    last = begin
    for found, rows in pages_of(server, begin):
        if len(rows) == size:
            last = found
    return last


class Reader:
    """Asks a server for cases, for some seconds each."""

    def __init__(
        self, serving: Serving, token: str, seconds: float, postmaster: int | None
    ) -> None:
        accept = "application/json;version=0.0"
        self.server = serving.as_client(Authorization=f"Token {token}", Accept=accept)
        self._serving, self._postmaster = serving, postmaster
        self._token, self._seconds = token, seconds

    def measure(self, case: Case) -> dict[str, Any]:
        """Return the figures of a case: times in milliseconds."""
        request = self.server.request(case.path)
        with self.server.connect() as connection:
            size = len(connection.expect(request).body)
        figures = self._timed(request)
        per_second = requests_per_second(self.server, request, CLIENTS, self._seconds)
        floor = floors.cost_of(case.floor, self._seconds / 4)
        return {
            "name": case.name,
            "kind": case.kind,
            "path": case.path,
            "bytes": size,
            **figures,
            "per_second": per_second,
            "floor_ms": floor.own,
            "floor_database_ms": floor.database,
            "statements": count_statements(case.path, self._token),
        }

    def _timed(self, request: bytes) -> dict[str, float]:
        return timed(self._serving, self._postmaster, self.server, request, self._seconds)

    def measure_last(self, case: Case) -> dict[str, Any]:
        """Return the latency and computing of a list's last page."""
        path = last_page(self.server, case.path)
        figures = self._timed(self.server.request(path))
        return {f"last_{name}": figure for name, figure in figures.items()} | {"last_path": path}
