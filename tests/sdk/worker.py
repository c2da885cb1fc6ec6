"""Plays the builder and the worker of a consortium, in the database and storage of a live server.

Imported by `serve` once Django is set up. It writes rows directly, since the API does not accept
results; the counters, status and dates of a plan follow.
"""

from collections import Counter
from multiprocessing.connection import Connection, Listener
from threading import Thread
from uuid import UUID, uuid4

from django.db import connections, transaction
from django.utils import timezone

from assets.accounts.models import Organization
from assets.accounts.registration.runners import create_runner
from assets.compute.models import ComputePlan, Model, Task
from assets.compute.registration import counters
from assets.compute.statuses import COUNTERS, FINAL, ErrorType, TaskStatus
from assets.functions.models import Function, FunctionStatus
from tests import builders

from .peers import answer


def set_function(key: str, status: str, logs: str = "") -> None:
    """Put a function into a status; a failed one leaves a report."""
    Function.objects.filter(pk=key).update(status=FunctionStatus(status))
    if logs:
        builders.make_failure(logs.encode(), function_id=key, error_type=ErrorType.BUILD)


@transaction.atomic
def set_tasks(keys: list[str], status: str, error_type: str = "") -> None:
    """Put tasks into a status, with the dates that it brings."""
    now = timezone.now()
    dates = {"start_date": now} if status == TaskStatus.EXECUTING else {}
    if status in FINAL:
        dates = {"end_date": now}
    reason = {"error_type": ErrorType(error_type)} if error_type else {}
    builders.set_status(keys, TaskStatus(status), **dates, **reason)
    for plan in ComputePlan.objects.filter(tasks__in=keys).distinct():
        _recount(plan)


def _recount(plan: ComputePlan) -> None:
    counts = Counter(Task.objects.filter(compute_plan=plan).values_list("status", flat=True))
    for status, column in COUNTERS.items():
        setattr(plan, column, counts[status])
    counters.update_progress(plan, timezone.now())
    plan.save(update_fields=counters.PROGRESS_FIELDS)


def make_model(task: str, content: str, identifier: str = "model") -> UUID:
    """Write a model, whose content arrives in hexadecimal; return its key."""
    return builders.make_model(task, identifier, bytes.fromhex(content)).key


def disable_model(key: str) -> None:
    """Remove a transient model's file."""
    Model.objects.filter(pk=key).update(file="", file_checksum="", file_size=0)


def make_performance(task: str, value: float) -> None:
    builders.make_performance(task, value)


def report_failure(task: str, logs: str) -> None:
    """Write why a task failed."""
    builders.make_failure(logs.encode(), task_id=task)


def make_runner(organization: str) -> str:
    """Create a runner of an organisation; return the secret of its token."""
    _runner, secret = create_runner(
        Organization.objects.get(pk=organization), name=f"ward {uuid4()}"
    )
    return secret


JOBS = (
    make_runner,
    set_function,
    set_tasks,
    make_model,
    disable_model,
    make_performance,
    report_failure,
)


def work_for(connection: Connection) -> None:
    answer(connection, {job.__name__: job for job in JOBS})
    connections.close_all()


def work_for_all(listener: Listener) -> None:
    """Do what test processes ask for, in a thread each, as long as this process lives."""
    while True:
        Thread(target=work_for, args=[listener.accept()], daemon=True).start()
