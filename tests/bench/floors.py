"""The floor of an answer: the rows that it shows, by raw SQL through the driver, dumped by orjson.

In one process, on Django's own connection, with nothing in between: no model, no request, no
check. Whoever shows these rows spends at least that.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from .machine import cpu_seconds
from .timing import ROUNDS

Rows = list[tuple]
Floor = Callable[[], Any]


def fetch(sql: str, *parameters: Any) -> Rows:
    """Return the rows of a statement as the driver gives them; `?` marks a parameter."""
    cursor = connection.connection.cursor()
    if connection.vendor == "postgresql":
        sql = sql.replace("?", "%s")
    try:
        return cursor.execute(sql, parameters).fetchall()
    finally:
        cursor.close()


def fetch_in(sql: str, values: Iterable[Any]) -> Rows:
    """Return the rows of a statement with one list, which is marked by `IN ?`."""
    found = list(set(values))
    if connection.vendor == "postgresql":
        return fetch(sql.replace("IN ?", "= ANY(?)"), found)
    return fetch(sql.replace("IN ?", f"IN ({', '.join('?' * len(found))})"), *found)


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of computing, for one repetition: ours, and the database server's."""

    own: float
    database: float


def cost_of(floor: Floor, seconds: float) -> Cost:
    """Fetch and dump again and again for some seconds; return the best of a few rounds."""
    connection.ensure_connection()
    backend = None
    if connection.vendor == "postgresql":
        backend = connection.connection.info.backend_pid
    for _ in range(3):
        _dumped(floor)
    rounds = [_one_round(floor, backend, seconds / ROUNDS) for _ in range(ROUNDS)]
    return Cost(min(cost.own for cost in rounds), min(cost.database for cost in rounds))


def _one_round(floor: Floor, backend: int | None, seconds: float) -> Cost:
    database = cpu_seconds(backend) if backend else 0.0
    begin, cpu, repeats = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begin < seconds or repeats < 5:
        _dumped(floor)
        repeats += 1
    cpu = time.process_time() - cpu
    database = (cpu_seconds(backend) if backend else 0.0) - database
    return Cost(cpu / repeats * 1000, database / repeats * 1000)


def _dumped(floor: Floor) -> bytes:
    return orjson.dumps(floor(), default=str)


# --- What each answer shows ----------------------------------------------------------------------

DATASET = (
    "key, name, owner_id, creation_date, metadata, type, permissions_id, logs_permission_id, "
    "opener_checksum, description_checksum"
)
FUNCTION = (
    "key, name, owner_id, creation_date, metadata, permissions_id, description_checksum, "
    "archive_checksum, status"
)
TASK = (
    "key, function_id, owner_id, worker_id, compute_plan_id, rank, status, tag, metadata, "
    "creation_date, start_date, end_date, error_type, logs_permission_id"
)
PLAN = (
    "p.key, p.owner_id, p.name, p.tag, p.metadata, u.username, p.creation_date, p.start_date, "
    "p.end_date, p.status, p.failed_task_key, p.task_count, waiting_builder_slot_count, "
    "building_count, waiting_parent_tasks_count, waiting_executor_slot_count, executing_count, "
    "done_count, failed_count, canceled_count"
)
SAMPLE = "key, owner_id, creation_date"


def permissions(ids: Iterable[int]) -> Rows:
    return fetch_in("SELECT id, public, authorized_ids FROM assets_permissions WHERE id IN ?", ids)


def datasets(where: str, *parameters: Any) -> Sequence[Rows]:
    rows = fetch(f"SELECT {DATASET} FROM assets_dataset {where}", *parameters)  # noqa: S608
    samples = fetch_in(
        "SELECT l.dataset_id, l.data_sample_id FROM assets_datasamplelink l "
        "JOIN assets_datasample s ON s.key = l.data_sample_id WHERE l.dataset_id IN ? "
        "ORDER BY s.creation_date, s.key",
        (row[0] for row in rows),
    )
    return rows, samples, permissions(pk for row in rows for pk in row[6:8])


def samples(where: str, *parameters: Any) -> Sequence[Rows]:
    rows = fetch(f"SELECT {SAMPLE} FROM assets_datasample {where}", *parameters)  # noqa: S608
    links = fetch_in(
        "SELECT data_sample_id, dataset_id FROM assets_datasamplelink "
        "WHERE data_sample_id IN ? ORDER BY id",
        (row[0] for row in rows),
    )
    return rows, links


def functions(where: str, *parameters: Any) -> Sequence[Rows]:
    rows = fetch(f"SELECT {FUNCTION} FROM assets_function {where}", *parameters)  # noqa: S608
    return rows, *_slots(row[0] for row in rows), permissions(row[5] for row in rows)


def _slots(keys: Iterable[Any]) -> Sequence[Rows]:
    found = list(keys)
    slot = "function_id, identifier, kind, multiple"
    order = "WHERE function_id IN ? ORDER BY function_id, position"
    return (
        fetch_in(f"SELECT {slot}, optional FROM assets_functioninput {order}", found),  # noqa: S608
        fetch_in(f"SELECT {slot} FROM assets_functionoutput {order}", found),  # noqa: S608
    )


def tasks(where: str, *parameters: Any) -> Sequence[Any]:
    rows = fetch(f"SELECT {TASK} FROM assets_task {where}", *parameters)  # noqa: S608
    keys = [row[0] for row in rows]
    inputs = fetch_in(
        "SELECT i.task_id, i.identifier, i.dataset_id, s.keys, i.model_id, i.parent_task_id, "
        "i.parent_output_identifier FROM assets_taskinputgroup i "
        "LEFT JOIN assets_sampleset s ON s.id = i.sample_set_id WHERE i.task_id IN ? "
        "ORDER BY i.task_id, i.position",
        keys,
    )
    outputs = fetch_in(
        "SELECT task_id, identifier, permissions_id, transient FROM assets_taskoutput "
        "WHERE task_id IN ? ORDER BY task_id, id",
        keys,
    )
    used = list({row[1] for row in rows})
    found = fetch_in(f"SELECT {FUNCTION} FROM assets_function WHERE key IN ?", used)  # noqa: S608
    ids = {row[-1] for row in rows} | {row[2] for row in outputs} | {row[5] for row in found}
    return rows, inputs, outputs, found, *_slots(used), permissions(ids)


def plans(where: str, *parameters: Any) -> Sequence[Rows]:
    join = "FROM assets_computeplan p LEFT JOIN assets_user u ON u.id = p.creator_id"
    return (fetch(f"SELECT {PLAN} {join} {where}", *parameters),)


def graph(plan: Any) -> Sequence[Rows]:
    rows = fetch(
        "SELECT t.key, t.rank, t.function_id, f.name, t.worker_id, t.status FROM assets_task t "
        "JOIN assets_function f ON f.key = t.function_id WHERE t.compute_plan_id = ? "
        "ORDER BY t.rank, t.key",
        plan,
    )
    edges = fetch(
        "SELECT i.parent_task_id, i.parent_output_identifier, i.task_id, i.identifier "
        "FROM assets_taskinputgroup i JOIN assets_task t ON t.key = i.task_id "
        "JOIN assets_task p ON p.key = i.parent_task_id "
        "WHERE t.compute_plan_id = ? AND p.compute_plan_id = ? "
        "ORDER BY t.rank, i.task_id, i.position",
        *(plan, plan),
    )
    return rows, edges, *_slots({row[2] for row in rows})
