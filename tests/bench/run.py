"""Time registering tasks, through a real server, beside the time that storing the rows takes.

Run it with `make bench`. It makes a registry of its own in a temporary folder (or, with
DATABASE_URL, an own database schema), starts gunicorn on a free loopback port, and prints one
table. The yardstick of each line is the same rows inserted once more by plain `executemany`, in
this run, on the same database: what no server can go below.
"""

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

ROOT = Path(__file__).resolve().parents[2]
SIZES = (1, 100, 1000, 10_000)
REPEATS = 3


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "VAR_DIR": folder,
            "DATABASE_URL": os.environ.get("BENCH_DATABASE_URL", ""),
            "SECRET_KEY": "bench",
            "DJANGO_SETTINGS_MODULE": "project.settings",
        }
        sys.path.insert(0, str(ROOT))
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        world = make_world()
        with server() as address:
            print_table(world, address)


def make_world() -> dict:
    """Register what tasks refer to; return the actor, a token, and the three assets."""
    from django.utils import timezone

    from assets.organizations.registration import (
        create_organization,
        create_token,
        create_user,
    )
    from tests import builders

    suffix = uuid4().hex[:8]
    organization = create_organization(f"Bench-{suffix}")
    actor = create_user(f"bench-{suffix}", organization=organization)
    dataset = builders.make_dataset(actor)
    return {
        "actor": actor,
        "token": create_token(actor, expires_at=timezone.now() + timedelta(hours=1))[1],
        "dataset": dataset,
        "samples": builders.make_samples(actor, dataset.key, count=2),
        "function": builders.make_function(actor),
    }


@contextmanager
def server() -> Iterator[str]:
    """Serve the registry with gunicorn on a free port; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-c", "project/gunicorn.py", "project.wsgi"]
    environment = {**os.environ, "HOST": "127.0.0.1", "PORT": str(port)}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address)
        yield address
    finally:
        process.terminate()
        process.wait()


def wait_for(address: str) -> None:
    import requests

    for _ in range(200):
        try:
            if requests.get(f"{address}/readyz", timeout=1).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def chain(world: dict, count: int) -> list:
    """Build tasks of three inputs: in chains of ten, as rounds of training are."""
    from tests import builders

    tasks: list = []
    for index in range(count):
        task = builders.training_task(world["dataset"], world["samples"], world["function"])
        if index % 10:
            task.inputs = (*task.inputs, builders.child_input(tasks[-1]))
        tasks.append(task)
    return tasks


def post_seconds(world: dict, address: str, count: int) -> float:
    """Register a plan, then `count` tasks in one request; return that request's seconds."""
    import requests

    from tests import builders

    headers = {"Authorization": f"Token {world['token']}"}
    plan = str(uuid4())
    body = {"key": plan, "name": "bench"}
    requests.post(f"{address}/api/compute_plan/", json=body, headers=headers, timeout=60)
    batch = {"tasks": [builders.wire_task(task, plan) for task in chain(world, count)]}
    start = time.perf_counter()
    answer = requests.post(
        f"{address}/api/task/bulk_create/", json=batch, headers=headers, timeout=600
    )
    seconds = time.perf_counter() - start
    answer.raise_for_status()
    assert len(answer.json()) == count
    return seconds


def statements(world: dict, count: int) -> int:
    """Count the statements of registering `count` tasks, authentication and answer included."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from tests import builders

    plan = builders.make_plan(world["actor"])
    batch = {"tasks": [builders.wire_task(task, plan.key) for task in chain(world, count)]}
    client = Client(headers={"authorization": f"Token {world['token']}"}, SERVER_NAME="localhost")
    with CaptureQueriesContext(connection) as queries:
        answer = client.post("/api/task/bulk_create/", batch, content_type="application/json")
    assert answer.status_code == 200, answer.content[:500]
    return len(queries)


def yardstick_seconds(count: int) -> float:
    """Copy the newest `count` tasks' rows under new keys, by `executemany`, then roll back."""
    from django.db import connection, transaction

    from assets.models import Event, Task, TaskInput, TaskOutput

    keys = list(
        Task.objects.order_by("-creation_date", "key").values_list("key", flat=True)[:count]
    )
    new_keys = {key: uuid4() for key in keys}
    tables = [
        rows_of(Task, "key__any", keys, new_keys),
        rows_of(TaskInput, "task_id__any", keys, new_keys),
        rows_of(TaskOutput, "task_id__any", keys, new_keys),
        rows_of(Event, "asset_key__any", keys, new_keys),
    ]
    start = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        for sql, rows in tables:
            cursor.executemany(sql, rows)
        seconds = time.perf_counter() - start
        transaction.set_rollback(True)
    return seconds


def rows_of(model, lookup: str, keys: list, new_keys: dict) -> tuple[str, list]:
    from django.db import connection, models

    fields = [f for f in model._meta.concrete_fields if not isinstance(f, models.AutoField)]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    rows = [
        [
            field.get_db_prep_save(
                new_keys.get(value, value) if isinstance(value, UUID) else value, connection
            )
            for field, value in zip(fields, row, strict=True)
        ]
        for row in model.objects.filter(**{lookup: keys}).values_list(*(f.attname for f in fields))
    ]
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks})", rows  # noqa: S608


def print_table(world: dict, address: str) -> None:
    from django.db import connection

    print(f"Registering tasks with one request, {connection.vendor}, median of {REPEATS} runs")
    print(f"{'tasks':>7} {'request s':>10} {'statements':>11} {'insert rows s':>14} {'ratio':>6}")
    for count in SIZES:
        request = statistics.median(post_seconds(world, address, count) for _ in range(REPEATS))
        rows = statistics.median(yardstick_seconds(count) for _ in range(REPEATS))
        print(
            f"{count:>7,} {request:>10.3f} {statements(world, count):>11} "
            f"{rows:>14.3f} {request / rows:>6.1f}"
        )


if __name__ == "__main__":
    main()
