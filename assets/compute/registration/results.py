"""What work reports: models, performances, failures. Source: contract 4.

A report can be sent twice: the second one finds the rows of the first one and changes nothing.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from uuid import UUID

from django.core.files.base import File
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from ...common.db import bulk
from ...common.db.compiled import Compiled
from ...common.errors import Code, Problem, Refused, refuse, refuse_if
from ...common.files.batch import file_batch
from ...common.files.pending import delete_on_commit
from ...common.files.storage import StoredFile
from ...common.kinds import AssetKind
from ...feed.models import Event
from ...feed.registration import Actor, record
from ...functions.models import FunctionStatus
from ..models import FailureReport, Model, Performance, TaskInput, TaskOutput
from ..statuses import FINAL, ErrorType, TaskStatus
from . import counters
from .progress import move_function, move_tasks
from .slots import Slots, slots_of


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
    since: datetime | None = None,
) -> Model:
    """Register a model that an executing task made, and return it.

    Args:
        checksum: the sha256 that the sender computed.
        begin: called first in the transaction; what it raises refuses the model.
        since: when the sender began. A model that the output had before is of an attempt that did
            not end: it stays, with this file in place of its own.

    Raises:
        Refused: the task is not executing, has no such output, or has its one model already; or
            the file has another checksum.
    """
    if known := known_model(task_key, identifier, key, checksum):
        return known
    # A wrong request is refused before its file is written.
    slots, _ = check_model(task_key, identifier, since)
    with file_batch("models") as files:
        stored = files.save("", file)
        if stored.checksum != checksum:
            found = f"The file has the checksum {stored.checksum}, not {checksum}. Send it again."
            raise refuse(Code.BAD_REQUEST, found)
        with files.commit():
            begin()
            counters.lock_plans([slots.plan])
            # What it can report may have changed while the file was written.
            slots, earlier = check_model(task_key, identifier, since)
            if earlier:
                return _replace_file(earlier, stored)
            return _insert_model(slots, identifier, key, stored, actor)


def _insert_model(
    slots: Slots, identifier: str, key: UUID, stored: StoredFile, actor: Actor
) -> Model:
    model = Model(
        key=key,
        owner_id=slots.worker,
        permissions_id=slots.outputs[identifier].permissions,
        output_id=slots.outputs[identifier].output,
        task_id=slots.task,
        file=stored.name,
        file_checksum=stored.checksum,
        file_size=stored.size,
    )
    bulk.insert_one(model)
    when = model.creation_date
    record(actor, Event.Action.REGISTERED, AssetKind.MODEL, {key: identifier}, when=when)
    return model


def _replace_file(model: Model, stored: StoredFile) -> Model:
    delete_on_commit([str(model.file.name)])
    model.file, model.file_checksum, model.file_size = stored.name, stored.checksum, stored.size
    model.save(update_fields=["file", "file_checksum", "file_size"])
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


def check_model(
    task_key: UUID, identifier: str, since: datetime | None = None
) -> tuple[Slots, Model | None]:
    """Return what a task can report, if it can get a model of this output now.

    Besides, the model that the output had before `since`, whose place the file takes.

    Raises:
        Refused: it can get none.
    """
    slots, earlier = _slots(task_key), None
    slot = slots.outputs.get(identifier)
    if since and slot and slot.has_model:
        models = Model.objects.filter(output=slot.output, creation_date__lt=since)
        earlier = models.order_by("creation_date", "key").first()
    refuse_if(slots.problems(identifier, AssetKind.MODEL, again=earlier is not None))
    return slots, earlier


def _slots(task_key: UUID) -> Slots:
    found = slots_of(task_key)
    if isinstance(found, Problem):
        raise Refused([found])
    return found


# --- Ends ----------------------------------------------------------------------------------------


def finish_task(key: UUID, actor: Actor, performances: Mapping[str, float] | None = None) -> None:
    """Make an executing task DONE.

    Args:
        performances: the numbers that it measured, by the identifiers of their outputs.

    Raises:
        Refused: the task is not executing, an output has no result, or a performance is no finite
            number, or of no such output.
    """

    def report(now: datetime) -> None:
        slots = _slots(key)
        refuse_if(slots.missing(performances or ()))
        _insert_performances(slots, performances or {}, actor, now)

    with transaction.atomic(savepoint=False):
        move_tasks([key], TaskStatus.DONE, actor, report=report)
        free_outputs_used_by([key])


def _insert_performances(
    slots: Slots, performances: Mapping[str, float], actor: Actor, now: datetime
) -> None:
    for identifier, value in performances.items():
        if not math.isfinite(value):
            message = f"is {value}. A performance is a finite number."
            raise refuse(Code.INVALID, message, field=identifier)
        refuse_if(slots.problems(identifier, AssetKind.PERFORMANCE))
        row = {"output_id": slots.outputs[identifier].output, "value": value}
        bulk.insert(Performance, [row | {"creation_date": now}])
        names = {slots.task: identifier}
        record(actor, Event.Action.REGISTERED, AssetKind.PERFORMANCE, names, when=now)


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
    outputs = [output for (output,) in _transient_outputs_near(task_keys)]
    if not outputs:
        return
    taking = (
        TaskInput.objects.filter(
            parent_task=OuterRef("task"), parent_output_identifier=OuterRef("identifier")
        ),
        TaskInput.objects.filter(model__output=OuterRef("pk")),
    )
    is_taken = Exists(taking[0]) | Exists(taking[1])
    ended = {"task__status__in": FINAL}
    is_needed = Exists(taking[0].exclude(**ended)) | Exists(taking[1].exclude(**ended))
    free = TaskOutput.objects.filter(is_taken, ~is_needed, pk__any=outputs, **ended)
    models = Model.objects.filter(output__in=free.values("pk")).exclude(file="")
    names = dict(models.values_list("pk", "file"))
    Model.objects.filter(key__any=list(names)).update(file="", file_checksum="", file_size=0)
    delete_on_commit(list(names.values()))


@Compiled
def _transient_outputs_near(task_keys: Collection[UUID]) -> QuerySet:
    """The transient outputs of the tasks, and of those whose outputs they take."""
    inputs = TaskInput.objects.order_by().filter(task__any=task_keys)
    of_parents = inputs.filter(parent_task__outputs__transient=True)
    of_makers = inputs.filter(model__output__transient=True)
    # A task that ends after all that took its output frees it itself.
    own = TaskOutput.objects.order_by().filter(task__any=task_keys, transient=True)
    return own.values_list("pk").union(
        of_parents.values_list("parent_task__outputs__pk"), of_makers.values_list("model__output")
    )
