"""The lines that users feel, of both builds in turns.

The machine slows down and recovers within seconds. So each round measures one build right after the
other, and a figure is the best of its rounds.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from .bare import first_start
from .bodies import Bodies, post
from .client import ask_at_once, time_one, warm_up
from .fan_in import Size, fan_in
from .goals import CLIENTS
from .importing import import_datasets
from .machine import median, memory
from .serving import serving
from .sides import Side

ROUNDS = 4
# Figures of the builds, BASE first, by the name of what is measured.
Line = dict[str, Any]


# --- Reading -------------------------------------------------------------------------------------


def _reads(pair: Sequence[Side], seconds: float) -> Iterator[Line]:
    for name, path in _read_paths(pair[0]):
        requests = [side.api.request(path) for side in pair]
        for side, request in zip(pair, requests, strict=True):
            warm_up(side.api, [request])
        rounds = [
            [_read(side, request, seconds) for side, request in zip(pair, requests, strict=True)]
            for _ in range(ROUNDS)
        ]
        yield {
            "name": name,
            "per_second": _best(rounds, "per_second", max),
            "cpu_ms": _best(rounds, "cpu_ms", min),
            "p50_ms": _best(rounds, "p50_ms", min),
        }


def _read(side: Side, request: bytes, seconds: float) -> dict[str, float]:
    meters = side.meters()
    answered, per_second = ask_at_once(side.api, request, CLIENTS, seconds)
    computing = sum(meter.seconds() for meter in meters)
    one = time_one(side.api, request, seconds / 2, fewest=1)
    return {
        "per_second": per_second,
        "cpu_ms": computing / answered * 1000,
        "p50_ms": one.p50,
    }


def _best(
    rounds: Sequence[Sequence[dict[str, float]]], figure: str, best: Callable[..., float]
) -> list[float]:
    """Return the best value of each build."""
    return [best(found[figure] for found in of_one) for of_one in zip(*rounds, strict=True)]


def _read_paths(side: Side) -> Iterator[tuple[str, str]]:
    """Yield (name, path) of each request; both builds have the same rows under the same keys."""
    dataset, function, plan, task = _middle_keys(side)
    for name, path in (
        ("datasets, 10", "data_manager/?page_size=10"),
        ("datasets, 100", "data_manager/?page_size=100"),
        ("datasets, match", "data_manager/?match=retina&page_size=10"),
        ("samples, 100", "data_sample/?page_size=100"),
        ("functions, 100", "function/?page_size=100"),
        ("tasks, 100", "task/?page_size=100"),
        ("plans, 10", "compute_plan/?page_size=10"),
        ("dataset", f"data_manager/{dataset}/"),
        ("function", f"function/{function}/"),
        ("task", f"task/{task}/"),
        ("plan", f"compute_plan/{plan}/"),
        ("graph, 100 tasks", f"compute_plan/{plan}/workflow_graph/"),
    ):
        yield name, f"/api/{path}"


def _middle_keys(side: Side) -> tuple[str, str, str, str]:
    """Return the keys of a dataset, a function, a plan and a task from the middle of the lists."""
    with side.api.connect() as connection:

        def one_of(path: str, page: int) -> dict[str, Any]:
            request = side.api.request(f"/api/{path}/?page_size=10&page={page}")
            return connection.expect(request).json()["results"][5]

        plan = one_of("compute_plan", 10)["key"]
        task = one_of(f"compute_plan/{plan}/task", 5)["key"]
        return one_of("data_manager", 50)["key"], one_of("function", 50)["key"], plan, task


# --- Pages ---------------------------------------------------------------------------------------


def _pages(pair: Sequence[Side], seconds: float) -> Iterator[Line]:
    dataset, _function, plan, task = _middle_keys(pair[0])
    for name, path in (
        ("home", "/"),
        ("list of datasets", "/datasets/"),
        ("list of tasks", "/tasks/"),
        ("page of a dataset", f"/datasets/{dataset}/"),
        ("page of a plan", f"/compute-plans/{plan}/"),
        ("page of a task", f"/tasks/{task}/"),
    ):
        rounds = []
        for _ in range(ROUNDS):
            found = []
            for side in pair:
                request, meters = side.browser.request(path), side.meters()
                timing = time_one(side.browser, request, seconds, fewest=1)
                computing = sum(meter.seconds() for meter in meters)
                cpu = computing / timing.requests * 1000
                found.append({"p50_ms": timing.p50, "cpu_ms": cpu})
            rounds.append(found)
        yield {
            "name": name,
            "p50_ms": _best(rounds, "p50_ms", min),
            "cpu_ms": _best(rounds, "cpu_ms", min),
        }


# --- Registering ---------------------------------------------------------------------------------


def _writes(pair: Sequence[Side], seconds: float) -> Iterator[Line]:
    makers = [Bodies(side) for side in pair]
    for name, path, body, repeats in (
        ("1 dataset", "data_manager", Bodies.dataset, 30),
        ("1 function", "function", Bodies.function, 30),
        ("1,000 samples", "data_sample", Bodies.samples, 3),
        ("1,000 tasks", "task/bulk_create", lambda made: made.tasks(1000), 4),
        ("10,000 tasks", "task/bulk_create", lambda made: made.tasks(10_000), 2),
    ):
        taken: list[list[float]] = [[], []]
        computed: list[list[float]] = [[], []]
        for _ in range(repeats):
            for number, (side, made) in enumerate(zip(pair, makers, strict=True)):
                content, meters = body(made), side.meters()
                taken[number].append(post(side, path, content)[0])
                computed[number].append(sum(meter.seconds() for meter in meters))
        # Of few repetitions the best one, since the machine may have been busy for all others.
        best = median if repeats >= 10 else min
        yield {
            "name": name,
            "p50_ms": [best(values) * 1000 for values in taken],
            "cpu_ms": [best(values) * 1000 for values in computed],
        }


def _imports(pair: Sequence[Side], seconds: float) -> Iterator[Line]:
    """BASE has no such command: there, they are posted one after the other."""
    base, now = pair
    bodies = Bodies(base)
    taken = [post(base, "data_manager", bodies.dataset())[0] for _ in range(50)]
    yield {"name": "1,000 datasets, imported", "rate": [1 / median(taken), import_datasets(now)]}


# --- Starting ------------------------------------------------------------------------------------


def _starts(pair: Sequence[Side], seconds: float) -> Iterator[Line]:
    rounds = [[_start(side) for side in pair] for _ in range(3)]
    yield {"name": "manage.py check", "seconds": _best(rounds, "check", min)}
    yield {"name": "restart to /livez", "seconds": _best(rounds, "restart", min)}
    yield {"name": "worker after its start", "mib": _best(rounds, "mib", min)}


def _start(side: Side) -> dict[str, float]:
    begin = time.perf_counter()
    side.build.run("manage.py", "check", captured=True, **side.registry.environment)
    checked = time.perf_counter()
    environment = side.registry.environment
    with serving(side.registry.folder, side.build, "/livez", **environment) as server:
        served = time.perf_counter()
        held = memory(server.workers) / len(server.workers) / 1024**2
    return {"check": checked - begin, "restart": served - checked, "mib": held}


def _serve(pair: Sequence[Side], seconds: float) -> Iterator[Line]:
    yield {"name": "first make serve", "seconds": [first_start(side.build) for side in pair]}


# --- Many samples in each task -------------------------------------------------------------------


def _fan_in(pair: Sequence[Side], seconds: float) -> Iterator[Line]:
    yield from fan_in(pair, Size(500, 1000))


# --- All -----------------------------------------------------------------------------------------

PARTS = {
    "reads": _reads,
    "pages": _pages,
    "writes": _writes,
    "imports": _imports,
    "fan-in": _fan_in,
    "starts": _starts,
    "serve": _serve,
}


def lines(pair: Sequence[Side], seconds: float, parts: Iterable[str]) -> Iterator[Line]:
    """Yield the lines of these parts; each figure has the values of both builds, BASE first."""
    for name in parts:
        yield from PARTS[name](pair, seconds)
