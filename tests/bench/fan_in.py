"""Tasks that each take all samples of a dataset, as a study has them.

The requests are those of the SDK: all tasks with their plan, the same tasks again in batches, and
then their list in pages. A size is `500x1000`: tasks, and samples of each. BASE takes minutes for
that one; without it, sizes show whether the cost grows with the number of inputs::

    python -m tests.bench.fan_in --without-base 500x1000 1000x1000 1000x2000 2000x2000
"""

import argparse
import json
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from tests.with_postgres import leave

from .client import WrongAnswer
from .databases import DATABASES, django_without_database
from .machine import MemoryPeak
from .sides import Side, sides
from .world import ORGANIZATIONS

JSON = "application/json"
MIB = 1024**2
# Of the SDK.
BATCH = 500
PAGE = 100


class Size(NamedTuple):
    """How many tasks there are, and how many samples each of them takes."""

    tasks: int
    samples: int


def fan_in(pair: Sequence[Side], size: Size) -> Iterator[dict[str, Any]]:
    """Yield the lines of a size; seconds are the computing of workers and database.

    *Registered* includes that the tasks are sent again, as the SDK does.
    """
    found = [_measure(side, size) for side in pair]
    for name, unit in (
        ("registered", "seconds"),
        ("sent again", "seconds"),
        ("listed", "seconds"),
        ("database", "mib"),
        ("memory", "mib"),
    ):
        yield {"name": f"fan-in, {name}", unit: [figures[name] for figures in found]}


def _measure(side: Side, size: Size) -> dict[str, float]:
    study = _Study(side, size)
    before = database_bytes(side)
    found = {}
    with MemoryPeak(side.serving.workers) as peak:
        for name, ask in (
            ("plan", study.plan),
            ("sent again", study.again),
            ("listed", study.listed),
        ):
            meters = side.meters()
            ask()
            found[name] = sum(meter.seconds() for meter in meters)
    return found | {
        "registered": found["plan"] + found["sent again"],
        "database": (database_bytes(side) - before) / MIB,
        "memory": peak.growth / MIB,
    }


def database_bytes(side: Side) -> int:
    """Return the size of the database, indexes included."""
    url = side.registry.environment["DATABASE_URL"]
    if not url:
        folder = Path(side.registry.environment["VAR_DIR"])
        return sum(file.stat().st_size for file in folder.glob("registrar.sqlite3*"))
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row
        return row[0]


class _Study:
    """A plan whose tasks all take the same samples, and the requests about it."""

    def __init__(self, side: Side, size: Size) -> None:
        from .bodies import Bodies, post

        self._side, self._size, self._key = side, size, str(uuid4())
        bodies = Bodies(side)
        samples = post(side, "data_sample", bodies.samples(size.samples, 10))[1]
        inputs = [{"identifier": "opener", "asset_key": bodies.dataset_key}]
        inputs += [{"identifier": "datasamples", "asset_key": row["key"]} for row in samples]
        # The SDK sends spaces.
        self._inputs = json.dumps(inputs)
        self._function = bodies.function_key
        self._tasks = [str(uuid4()) for _ in range(size.tasks)]

    def plan(self) -> None:
        tasks = [self._task(key, "task_id", "is_transient") for key in self._tasks]
        self._post("compute_plan", f'{{"name": "fan-in", {_list(tasks)}, "key": "{self._key}"}}')

    def again(self) -> None:
        for begin in range(0, len(self._tasks), BATCH):
            keys = self._tasks[begin : begin + BATCH]
            tasks = [self._task(key, "key", "transient") for key in keys]
            self._post("task/bulk_create", f"{{{_list(tasks)}}}")

    def listed(self) -> None:
        found = 0
        path = f"/api/compute_plan/{self._key}/task/?page_size={PAGE}"
        with self._side.api.connect() as connection:
            for page in range(1, -(-self._size.tasks // PAGE) + 1):
                answer = connection.expect(self._side.api.request(f"{path}&page={page}"))
                found += answer.body.count(b'"datasamples","asset_key":')
        if found != self._size.tasks * self._size.samples:
            raise WrongAnswer(f"{found} samples of tasks are listed")

    def _task(self, key: str, named: str, transient: str) -> str:
        own = {"public": False, "authorized_ids": [ORGANIZATIONS[0]]}
        values = {
            named: key,
            "compute_plan_key": self._key,
            "function_key": self._function,
            "worker": ORGANIZATIONS[0],
            "outputs": {"model": {"permissions": own, transient: False}},
        }
        return f'{json.dumps(values)[:-1]}, "inputs": {self._inputs}}}'

    def _post(self, path: str, text: str) -> None:
        request = self._side.api.request(f"/api/{path}/", "POST", text.encode(), Content_Type=JSON)
        with self._side.api.connect() as connection:
            answer = connection.ask(request)
        if answer.status not in (200, 201):
            raise WrongAnswer(f"{path}: {answer.status} {answer.body[:300]!r}")


def _list(tasks: Sequence[str]) -> str:
    return f'"tasks": [{", ".join(tasks)}]'


def _size(text: str) -> Size:
    if not re.fullmatch(r"\d+x\d+", text):
        raise argparse.ArgumentTypeError("give tasks and samples, such as 500x1000")
    return Size(*map(int, text.split("x")))


def main() -> None:
    # However we end, the servers that we started end too.
    signal.signal(signal.SIGTERM, leave)
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.fan_in",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("sizes", nargs="+", type=_size)
    parser.add_argument("--database", default="postgresql", choices=DATABASES)
    parser.add_argument("--without-base", action="store_true")
    arguments = parser.parse_args()
    with_base = not arguments.without_base
    with (
        django_without_database(),
        sides(arguments.database, 0, None, with_base=with_base) as pair,
    ):
        for size in arguments.sizes:
            for line in fan_in(pair, size):
                name, (unit, values) = line.pop("name"), line.popitem()
                figures = "  ".join(f"{value:10.2f}" for value in values)
                print(f"{size.tasks:>6} x {size.samples:<6} {name:18} {figures} {unit}")


if __name__ == "__main__":
    main()
