"""What work reports: models, performances, failures. Source: contract 4.

A report can be sent twice: the second one finds the rows of the first one and changes nothing.
"""

import math
from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.db.models import Exists, OuterRef

from ...common.errors import Code, Problem, not_found, refuse, refuse_if
from ...common.files.batch import file_batch
from ...common.files.pending import delete_on_commit
from ...common.kinds import AssetKind
from ...feed.models import Event
from ...feed.registration import Actor, record
from ...functions.models import FunctionOutput, FunctionStatus
from ..models import FailureReport, Model, Performance, Task, TaskInput, TaskOutput
from ..specs import TASK
from ..statuses import FINAL, ErrorType, TaskStatus
from . import counters
from .progress import move_function, move_tasks


def _nothing() -> None:
    """What a report begins with, unless its sender has something to check first."""


def register_model(
    task_key: UUID,
    identifier: str,
    key: UUID,
    file: File,
    checksum: str,
    actor: Actor,
    *,
    begin: Callable[[], object] = _nothing,
) -> Model:
    """Register a model that an executing task made, and return it.

    Args:
        checksum: the sha256 that the sender computed.
        begin: called first in the transaction; what it raises refuses the model.

    Raises:
        Refused: the task is not executing, has no such output, or has its one model already; or
            the file has another checksum.
    """
    if known := known_model(task_key, identifier, key, checksum):
        return known
    # A wrong request is refused before its file is written.
    check_model(task_key, identifier)
    with file_batch("models") as files:
        stored = files.save("", file)
        if stored.checksum != checksum:
            found = f"The file has the checksum {stored.checksum}, not {checksum}. Send it again."
            raise refuse(Code.BAD_REQUEST, found)
        with files.commit():
            begin()
            output = _locked_output(task_key, identifier, AssetKind.MODEL)
            model = Model(
                key=key,
                owner_id=output.task.worker_id,
                permissions_id=output.permissions_id,
                output=output,
                task_id=task_key,
                file=stored.name,
                file_checksum=stored.checksum,
                file_size=stored.size,
            )
            model.save(force_insert=True)
            _record(actor, AssetKind.MODEL, key, identifier, model.creation_date)
    return model


def known_model(task_key: UUID, identifier: str, key: UUID, checksum: str) -> Model | None:
    """Return the model if this report was sent before; None if it is new.

    Raises:
        Refused: another model has the key.
    """
    model = Model.objects.select_related("output").filter(pk=key).first()
    if model is None:
        return None
    known = (model.task_id, model.output.identifier, model.file_checksum)
    if known != (task_key, identifier, checksum):
        message = f'Model with key "{key}" exists with other content. Choose a new key.'
        raise refuse(Code.CONFLICT, message, key=str(key))
    return model


def check_model(task_key: UUID, identifier: str) -> None:
    """Return nothing if a task can get a model of this output now.

    Raises:
        Refused: it can get none.
    """
    refuse_if(_check_output(task_key, identifier, AssetKind.MODEL))


def register_performance(
    task_key: UUID, identifier: str, value: float, actor: Actor
) -> Performance:
    """Register a number that an executing task measured, and return it.

    Raises:
        Refused: the value is no finite number, the task is not executing, has no such output, or
            measured another value before.
    """
    if not math.isfinite(value):
        message = f"is {value}. A performance is a finite number."
        raise refuse(Code.INVALID, message, field="value")
    known = Performance.objects.filter(output__task=task_key, output__identifier=identifier).first()
    if known is not None and known.value == value:
        return known
    with transaction.atomic():
        output = _locked_output(task_key, identifier, AssetKind.PERFORMANCE)
        performance = Performance(output=output, value=value)
        performance.save(force_insert=True)
        when = performance.creation_date
        _record(actor, AssetKind.PERFORMANCE, task_key, identifier, when)
    return performance


def _record(actor: Actor, kind: AssetKind, key: UUID, identifier: str, when: datetime) -> None:
    record(actor, Event.Action.REGISTERED, kind, {key: identifier}, when=when)


def _locked_output(task_key: UUID, identifier: str, kind: AssetKind) -> TaskOutput:
    """Return an output that can get a result. Its plan is locked, so the status cannot change.

    Raises:
        Refused: it can get none.
    """
    plan = Task.objects.filter(pk=task_key).values_list("compute_plan_id", flat=True)
    counters.lock_plans(set(plan))
    refuse_if(_check_output(task_key, identifier, kind))
    outputs = TaskOutput.objects.select_related("task")
    return outputs.get(task_id=task_key, identifier=identifier)


def _check_output(task_key: UUID, identifier: str, kind: AssetKind) -> Iterator[Problem]:
    task = Task.objects.filter(pk=task_key).first()
    if task is None:
        yield not_found(TASK, task_key)
        return
    if task.status != TaskStatus.EXECUTING:
        message = f'Task "{task_key}" is {task.status}. Only an executing task reports results.'
        yield Problem(Code.CONFLICT, message, key=str(task_key))
    declared = FunctionOutput.objects.filter(function=task.function_id, identifier=identifier)
    output = declared.filter(kind=kind).first()
    if output is None:
        message = f'The function of task "{task_key}" has no output "{identifier}" of kind {kind}.'
        yield Problem(Code.INVALID, message, "identifier")
        return
    results = Model if kind == AssetKind.MODEL else Performance
    place = {"output__task": task_key, "output__identifier": identifier}
    if not output.multiple and results._default_manager.filter(**place).exists():
        message = f'Output "{identifier}" of task "{task_key}" has its one result already.'
        yield Problem(Code.CONFLICT, message, "identifier", key=str(task_key))


# --- Ends ----------------------------------------------------------------------------------------


def finish_task(key: UUID, actor: Actor) -> None:
    """Make an executing task DONE.

    Raises:
        Refused: the task is not executing, or an output has no result.
    """
    with transaction.atomic():
        refuse_if(_check_complete(key))
        move_tasks([key], TaskStatus.DONE, actor)
        free_outputs_used_by([key])


def _check_complete(key: UUID) -> Iterator[Problem]:
    results = Exists(Model.objects.filter(output=OuterRef("pk"))) | Exists(
        Performance.objects.filter(output=OuterRef("pk"))
    )
    for name in TaskOutput.objects.filter(~results, task=key).values_list("identifier", flat=True):
        message = f'Output "{name}" of task "{key}" has no result. Report it first.'
        yield Problem(Code.CONFLICT, message, key=str(key))


def fail_task(
    key: UUID,
    error_type: ErrorType,
    logs: File | None,
    actor: Actor,
    *,
    begin: Callable[[], object] = _nothing,
) -> FailureReport:
    """Make an executing task FAILED, and return the report of its failure.

    Args:
        begin: called first in the transaction; what it raises refuses the report.

    Raises:
        Refused: the task is not executing, or its kind of failure has logs and there are none.
    """
    if known := FailureReport.objects.filter(task=key, error_type=error_type).first():
        return known
    refuse_if(_check_logs(error_type, logs))

    def change() -> None:
        begin()
        move_tasks([key], TaskStatus.FAILED, actor, error_type)
        free_outputs_used_by([key])

    return _report(FailureReport(task_id=key, error_type=error_type), logs, change)


def fail_function(
    key: UUID, logs: File, actor: Actor, *, begin: Callable[[], object] = _nothing
) -> FailureReport:
    """Make a function that is being built FAILED, with the tasks that wait for it.

    Args:
        begin: called first in the transaction; what it raises refuses the report.

    Raises:
        Refused: the function is not being built.
    """
    if known := FailureReport.objects.filter(function=key).first():
        return known

    def change() -> None:
        begin()
        move_function(key, FunctionStatus.FAILED, actor)

    return _report(FailureReport(function_id=key, error_type=ErrorType.BUILD), logs, change)


def _check_logs(error_type: ErrorType, logs: File | None) -> Iterator[Problem]:
    if (error_type == ErrorType.INTERNAL) == (logs is not None):
        message = "A failure of the function has logs; one of the platform has none."
        yield Problem(Code.INVALID, message, "logs")


def _report(report: FailureReport, logs: File | None, change: Callable[[], None]) -> FailureReport:
    """Write a report with its logs, and what the failure changes, together."""
    if logs is None:
        with transaction.atomic():
            change()
            report.save(force_insert=True)
        return report
    with file_batch("logs") as files:
        stored = files.save("", logs)
        with files.commit():
            change()
            report.logs, report.logs_checksum = stored.name, stored.checksum
            report.logs_size = stored.size
            report.save(force_insert=True)
    return report


# --- Transient outputs ---------------------------------------------------------------------------


def free_outputs_used_by(task_keys: Collection[UUID]) -> None:
    """Delete the files of transient outputs that only final tasks took, in the transaction.

    Args:
        task_keys: tasks that have become final.
    """
    inputs = TaskInput.objects.filter(task__any=task_keys).order_by()
    parents = inputs.filter(parent_task__isnull=False).values_list("parent_task_id", flat=True)
    makers = inputs.filter(model__isnull=False).values_list("model__task_id", flat=True)
    # A task that ends after all that took its output frees it itself.
    tasks = {*task_keys, *parents, *makers}
    taking = (
        TaskInput.objects.filter(
            parent_task=OuterRef("task"), parent_output_identifier=OuterRef("identifier")
        ),
        TaskInput.objects.filter(model__output=OuterRef("pk")),
    )
    is_taken = Exists(taking[0]) | Exists(taking[1])
    ended = {"task__status__in": FINAL}
    is_needed = Exists(taking[0].exclude(**ended)) | Exists(taking[1].exclude(**ended))
    free = TaskOutput.objects.filter(is_taken, ~is_needed, task__any=tasks, transient=True, **ended)
    models = Model.objects.filter(output__in=free.values("pk")).exclude(file="")
    names = dict(models.values_list("pk", "file"))
    Model.objects.filter(key__any=list(names)).update(file="", file_checksum="", file_size=0)
    delete_on_commit(list(names.values()))
