"""Kills runners and the server at random moments while tasks run, then looks what became of them.

`python -m tests.kill.working [--plans 20] [--kills 60] [--runners 4] [--seed 1]` runs on the
database that DATABASE_URL names (PostgreSQL: a database of its own in that cluster), or else on
SQLite. Every task must end once, done with its one model and performance or failed with a reason,
and no file may be left. It prints figures as JSON, and what is wrong; the exit code says whether
anything is.
"""

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.sdk import serve

from .server import Server

# A task takes less, unless its runner is killed.
LEASE_SECONDS = 2
# Of this number of victims, one is the server.
SERVER_EVERY = 6
TASKS_PER_PLAN = 4
PATIENCE = 300


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    plans = f"of {TASKS_PER_PLAN} tasks each; as many again whenever all are done"
    parser.add_argument("--plans", type=int, default=20, help=plans)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--runners", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def make_plans(count: int) -> None:
    """Register plans of tasks that each take the model of the one before, some of them for good."""
    from assets.accounts.models import User
    from assets.compute.specs import OutputSpec
    from tests import builders

    alice = User.objects.get(username="alice")
    function = builders.make_aggregate(
        alice,
        inputs=(builders.MODEL_INPUT,),
        outputs=(builders.MODEL_OUTPUT, builders.PERFORMANCE_OUTPUT),
    )
    for number in range(count):
        outputs = {
            "model": OutputSpec(builders.PRIVATE, transient=number % 2 == 0),
            "performance": OutputSpec(builders.PUBLIC),
        }
        tasks: list[Any] = []
        for _ in range(TASKS_PER_PLAN):
            inputs = [builders.child_input(tasks[-1])] if tasks else []
            worker = alice.organization_id
            tasks.append(
                builders.aggregate_task(
                    function, worker, inputs=builders.grouped(inputs), outputs=outputs
                )
            )
        builders.make_plan(alice, *tasks, name=f"Study {number}")


def is_over() -> bool:
    """Whether nothing runs, and nothing that could run waits."""
    from assets.compute.models import ComputePlan, Task
    from assets.compute.statuses import PlanStatus, TaskStatus

    running = ComputePlan.objects.exclude(status__in=[PlanStatus.DONE, PlanStatus.FAILED])
    executing = Task.objects.filter(status=TaskStatus.EXECUTING)
    return not (running.exists() or executing.exists())


def kill_at_random(server: Server, workers: list, options: argparse.Namespace) -> Counter:
    """Kill a runner or the server at random moments while there is work; return how often."""
    chance, killed = random.Random(options.seed), Counter[str]()
    deadline = time.monotonic() + PATIENCE + 4 * options.kills
    while time.monotonic() < deadline:
        time.sleep(chance.random() * 0.4)
        if killed.total() >= options.kills:
            if is_over():
                break
            continue
        if is_over():
            make_plans(options.plans)
        if killed.total() % SERVER_EVERY == SERVER_EVERY - 1:
            server.kill(chance)
            killed["server"] += 1
        else:
            chance.choice(workers).must_die.set()
            killed["runner"] += 1
    return killed


def wrong_tasks(answers: Any) -> tuple[Counter, list[str]]:
    """Return how many tasks ended how, and what is wrong with them."""
    from assets.compute.models import FailureReport, Model, Performance, Task
    from assets.compute.statuses import TaskStatus
    from assets.execution.models import Job
    from assets.feed.models import Event

    counts, wrong = Counter[str](), []
    ends = Counter(
        Event.objects.filter(asset_kind="ASSET_COMPUTE_TASK", action=Event.Action.ENDED)
        .order_by()
        .values_list("asset_key", flat=True)
    )
    models = Counter(Model.objects.order_by().values_list("task_id", flat=True))
    values = dict(Performance.objects.values_list("output__task_id", "value"))
    reports = Counter(FailureReport.objects.order_by().values_list("task_id", flat=True))
    still_open = set(Job.objects.filter(ended_at=None).values_list("task_id", flat=True))
    for task in Task.objects.all():
        key, status = task.key, task.status
        counts[f"{status.removeprefix('STATUS_')} {task.error_type}".strip()] += 1
        found = {"ends": ends[key], "models": models[key], "reports": reports[key]}
        expected: list[dict[str, int]] = []
        if status == TaskStatus.DONE:
            expected = [{"ends": 1, "models": 1, "reports": 0}]
        elif status == TaskStatus.FAILED:
            expected = [{"ends": 1, "models": count, "reports": 1} for count in (0, 1)]
        else:
            # Of a plan that failed.
            expected = [{"ends": 0, "models": 0, "reports": 0}]
        finished, failed = answers.finished.get(str(key)), str(key) in answers.failed
        if (
            found not in expected
            or key in still_open
            or (key in values) != (status == TaskStatus.DONE)
            or (finished is not None and values.get(key) != finished)
            or (str(key) in answers.done and status != TaskStatus.DONE)
            or (failed and status != TaskStatus.FAILED)
        ):
            wrong.append(f"task {key} {status}: {found}, answered {finished} {failed}")
    sent = dict(Model.objects.exclude(file="").values_list("task_id", "file_checksum"))
    wrong += [
        f"the model of task {key}: not that of who finished it"
        for key, checksum in sent.items()
        if answers.models.get(str(key), checksum) != checksum
    ]
    return counts, wrong


def left_of_models(home: Path) -> int:
    """Return how many parts of models are left on the server's disk."""
    return sum(path.is_file() for path in (home / "var" / "arrivals").rglob("*"))


def run(options: argparse.Namespace, home: Path, environment: dict) -> dict[str, Any]:
    # These need Django to be set up.
    from assets.accounts.models import Organization
    from assets.accounts.registration.runners import create_runner

    from . import truth
    from .__main__ import wait_until_tidy
    from .workers import Answers, Worker

    organization, answers = Organization.objects.get(pk="MyOrg1MSP"), Answers()
    make_plans(options.plans)
    # Two runners have one token each, so that tokens are shared, too.
    secrets = [create_runner(organization, name=f"ward {number}")[1] for number in (1, 2)]
    server = Server(home, environment)
    workers = [
        Worker(number, options.seed, server, secrets[number % 2], answers)
        for number in range(options.runners)
    ]
    server.start()
    try:
        for worker in workers:
            worker.start()
        killed = kill_at_random(server, workers, options)
        over = is_over()
        for worker in workers:
            worker.must_end.set()
        for worker in workers:
            worker.join(60)
        # Its start tidies up.
        server.stop()
        server.start()
        still = wait_until_tidy()
        for _wait in range(100):
            if not left_of_models(home):
                break
            time.sleep(0.1)
    finally:
        server.stop()
    counts, wrong = wrong_tasks(answers)
    wrong += answers.wrong + truth.wrong_plans() + truth.wrong_files()
    if not over:
        wrong.append("some tasks did not end")
    if parts := left_of_models(home):
        wrong.append(f"{parts} parts of models are left")
    return {
        "database": "postgresql" if environment["DATABASE_URL"] else "sqlite",
        "kills": dict(killed),
        "deaths of runners": sum(worker.deaths for worker in workers),
        "tasks": dict(sorted(counts.items())),
        "late reports by status": dict(Counter(answers.late)),
        "loose at the end": still,
        "wrong": wrong[:50],
    }


def main() -> int:
    options = arguments()
    url = os.environ.get("DATABASE_URL", "")
    with tempfile.TemporaryDirectory(prefix="registrar-kill-") as name:
        home = Path(name)
        (home / "tmp").mkdir()
        with serve.own_database(url if url.startswith("postgres") else "") as database_url:
            environment, _tokens = serve.prepared(home, database_url)
            environment |= {
                "RUNNER_LEASE_SECONDS": str(LEASE_SECONDS),
                "TMPDIR": str(home / "tmp"),
            }
            result = run(options, home, environment)
            from django.db import connections

            connections.close_all()
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return bool(result["wrong"])


if __name__ == "__main__":
    sys.exit(main())
