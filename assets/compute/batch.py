"""A batch of tasks: checked as a whole, and turned into rows."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from ..common.errors import Code, Problem
from ..common.kinds import AssetKind
from ..permissions.models import Permissions
from ..permissions.specs import PermissionsSpec
from . import rules
from .graph import sort_by_rank
from .known import KnownTask, World
from .models import Task
from .specs import TASK, TaskSpec
from .statuses import FINAL, ErrorType, TaskStatus, initial_status
from .task_rules import TaskCheck
from .world import References, load_again, load_world, references_of

Row = dict[str, Any]


@dataclass(slots=True)
class NewTask:
    """A task that is checked and ready to be written."""

    spec: TaskSpec
    worker: str
    rank: int
    status: TaskStatus
    logs_permission: PermissionsSpec
    # The kind of each input, in the order of the spec's inputs.
    input_kinds: list[str]
    # Who may use each output, as it is stored.
    outputs: dict[str, PermissionsSpec]


@dataclass(slots=True)
class Batch:
    """The outcome of checking a batch: problems, or else what is to be written."""

    owner: str
    # All tasks of the batch in dependency order, those that existed before included.
    keys: list[UUID] = field(default_factory=list)
    new: list[NewTask] = field(default_factory=list)
    # 2 to 5: of the tasks by themselves and of their graph; 7 to 24: of what they refer to.
    problems: list[Problem] = field(default_factory=list)
    unfit: list[Problem] = field(default_factory=list)
    # Which assets were looked at, and what they were.
    references: References | None = None
    seen: World | None = None
    # Rows of Task, TaskInput and TaskOutput, as `as_rows` has made them.
    rows: tuple[list[Row], list[Row], list[Row]] = ([], [], [])
    # Every permissions value that the new tasks point to.
    permissions: set[PermissionsSpec] = field(default_factory=set)
    # Each permissions value that tasks were sent with, as it is stored: few for many outputs.
    _owned: dict[PermissionsSpec, PermissionsSpec] = field(default_factory=dict)

    def owned(self, spec: TaskSpec) -> dict[str, PermissionsSpec]:
        """Return who may use each output of a task, as it is stored."""
        owned = self._owned
        for output in spec.outputs.values():
            if output.permissions not in owned:
                owned[output.permissions] = output.permissions.owned_by(self.owner)
        return {name: owned[output.permissions] for name, output in spec.outputs.items()}


def prepare(specs: Sequence[TaskSpec], plan_key: UUID, owner: str) -> Batch:
    """Check tasks of one plan against all that they refer to; nothing is written.

    A constant number of queries. Problems carry paths such as ``tasks[3].inputs[0].asset_key``.

    This is what takes long, and needs no lock: whoever writes the batch asks `is_still_true` first.
    Tasks that exist already stay as they are; those that come in between conflict when written.
    """
    batch = Batch(owner)
    if not specs:
        return batch
    batch.problems += rules.check_unique_keys(specs)
    index_of = {spec.key: index for index, spec in enumerate(specs)}
    sound = []
    for index, spec in enumerate(specs):
        if problems := list(rules.check_task_values(spec)):
            batch.problems += _below(index, problems)
        else:
            sound.append(spec)
    ranks = _leave_out_existing(batch, specs, plan_key)
    new = [spec for spec in sound if spec.key not in ranks]
    if new:
        batch.references = references_of(new)
        world = load_world(new, batch.references)
        batch.seen = replace(world, tasks=dict(world.tasks))
        ranks |= _check_together(batch, new, specs, world)
    batch.keys = sorted(ranks, key=lambda key: (ranks[key], index_of[key]))
    return batch


def _below(index: int, problems: Iterable[Problem]) -> list[Problem]:
    return [problem.below(f"tasks[{index}]") for problem in problems]


def _leave_out_existing(batch: Batch, specs: Sequence[TaskSpec], plan_key: UUID) -> dict[UUID, int]:
    """4: return the ranks of tasks that are registered already; other content is a conflict."""
    rows = Task.objects.filter(key__any={spec.key for spec in specs}).values_list(
        "key", "owner_id", "compute_plan_id", "digest", "worker_id", "rank"
    )
    existing = {row[0]: row[1:] for row in rows}
    for index, spec in enumerate(specs) if existing else ():
        if spec.key not in existing:
            continue
        owner, plan, digest, worker, _ = existing[spec.key]
        same = (owner, plan, digest) == (batch.owner, plan_key, spec.digest(batch.owner))
        if not same or (spec.worker and spec.worker != worker):
            batch.problems.append(
                Problem(
                    Code.CONFLICT,
                    f'{TASK} with key "{spec.key}" already exists with another content, plan '
                    "or owner; choose a new key.",
                    f"tasks[{index}].key",
                    key=str(spec.key),
                )
            )
    return {key: row[-1] for key, row in existing.items()}


def _check_together(
    batch: Batch, sound: Sequence[TaskSpec], specs: Sequence[TaskSpec], world: World
) -> dict[UUID, int]:
    """5 to 24, parents before children; return the ranks of the new tasks."""
    parents = {
        spec.key: [ref.parent_task_key for ref in spec.inputs if ref.parent_task_key]
        for spec in sound
    }
    ranks = sort_by_rank(parents, {key: task.rank for key, task in world.tasks.items()})
    index_of = {spec.key: index for index, spec in enumerate(specs)}
    batch.problems += rules.check_graph(sound, index_of, ranks, world)
    by_key = {spec.key: spec for spec in sound}
    for key, rank in ranks.items():
        check = TaskCheck(by_key[key], batch.owner, world)
        if problems := list(check.problems()):
            batch.unfit += _below(index_of[key], problems)
        _add(batch, check, rank, [world.tasks[parent].status for parent in set(parents[key])])
    return ranks


def _add(batch: Batch, check: TaskCheck, rank: int, parent_statuses: Sequence[str]) -> None:
    """Note the task as one to be written, and as a parent that later tasks may name."""
    spec, function = check.spec, check.function
    status = TaskStatus.WAITING_FOR_BUILDER_SLOT
    if function is not None:
        status = initial_status(function.status, parent_statuses)
    kinds = [declared.kind for declared in check.declared if declared]
    logs, outputs = check.logs_permission, batch.owned(spec)
    batch.new.append(NewTask(spec, check.worker, rank, status, logs, kinds, outputs))
    check.world.tasks[spec.key] = KnownTask(spec.function_key, rank, status, logs, outputs)


def is_still_true(batch: Batch) -> bool:
    """Return whether all that the batch refers to is as it was when it was prepared."""
    return batch.references is None or load_again(batch.references) == batch.seen


def as_rows(batch: Batch) -> None:
    """Turn the new tasks of a batch without problems into rows.

    What all the tasks have in common (owner, plan, date of creation) is left to the caller. What is
    known only inside the transaction is left to `complete_rows`: keys of permissions, and dates.
    """
    tasks = [_task_row(new) for new in batch.new]
    inputs = [row for new in batch.new for row in _input_rows(new)]
    outputs: list[Row] = [
        {
            "task_id": new.spec.key,
            "identifier": identifier,
            "permissions_id": new.outputs[identifier],
            "transient": output.transient,
        }
        for new in batch.new
        for identifier, output in new.spec.outputs.items()
    ]
    batch.permissions = {row["logs_permission_id"] for row in tasks}
    batch.permissions |= {row["permissions_id"] for row in outputs}
    batch.rows = (tasks, inputs, outputs)


def complete_rows(
    batch: Batch, permissions: Mapping[PermissionsSpec, Permissions], now: datetime
) -> None:
    """Put into the rows what is known only inside the transaction that inserts them."""
    ids = {value: row.pk for value, row in permissions.items()}
    tasks, _, outputs = batch.rows
    for row in tasks:
        row["logs_permission_id"] = ids[row["logs_permission_id"]]
        row["end_date"] = now if row["status"] in FINAL else None
    for row in outputs:
        row["permissions_id"] = ids[row["permissions_id"]]


def _task_row(new: NewTask) -> Row:
    spec = new.spec
    return {
        "key": spec.key,
        "function_id": spec.function_key,
        "worker_id": new.worker,
        "rank": new.rank,
        "tag": spec.tag,
        "metadata": spec.metadata,
        "status": new.status,
        # Only a function that could not be built makes a task fail at registration.
        "error_type": ErrorType.BUILD if new.status == TaskStatus.FAILED else "",
        "logs_permission_id": new.logs_permission,
        "digest": spec.digest_as(new.outputs),
    }


def _input_rows(new: NewTask) -> Iterator[Row]:
    for position, (ref, kind) in enumerate(zip(new.spec.inputs, new.input_kinds, strict=True)):
        yield {
            "task_id": new.spec.key,
            "position": position,
            "identifier": ref.identifier,
            "dataset_id": ref.asset_key if kind == AssetKind.DATA_MANAGER else None,
            "data_sample_id": ref.asset_key if kind == AssetKind.DATA_SAMPLE else None,
            "model_id": ref.asset_key if kind == AssetKind.MODEL else None,
            "parent_task_id": ref.parent_task_key,
            "parent_output_identifier": ref.parent_task_output_identifier or "",
        }
