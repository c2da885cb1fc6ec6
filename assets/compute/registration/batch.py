"""A batch of tasks: checked as a whole, and turned into rows."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from ...common.asset_keys import AssetKeys
from ...common.errors import Code, Problem
from ...common.kinds import AssetKind
from ...permissions.specs import PermissionsSpec
from ..graph import sort_by_rank
from ..inputs import InputGroup
from ..models import Task
from ..specs import TASK, TaskSpec
from ..statuses import FINAL, ErrorType, TaskStatus, initial_status
from . import rules
from .context import BatchContext, TaskInfo
from .loading import References, load_context, reload_context
from .task_rules import TaskCheck

Row = dict[str, Any]


@dataclass(slots=True)
class Batch:
    """The result of checking a batch: problems, or else what to write."""

    owner: str
    # All tasks of the batch in dependency order, including those that existed before.
    keys: list[UUID] = field(default_factory=list)
    # 2 to 5: problems of the tasks themselves and of their graph.
    problems: list[Problem] = field(default_factory=list)
    # 7 to 24: problems with what the tasks refer to.
    reference_problems: list[Problem] = field(default_factory=list)
    references: References | None = None
    # What the references pointed to when the batch was checked.
    context: BatchContext | None = None
    # The rows to write, unless there are problems. Permissions and lists of data samples are values
    # until `complete_rows`.
    tasks: list[Row] = field(default_factory=list)
    inputs: list[Row] = field(default_factory=list)
    outputs: list[Row] = field(default_factory=list)
    # The latest lists of inputs as JSON: many tasks share few lists.
    json_of: Callable[[InputGroup], bytes] = field(
        default_factory=lambda: lru_cache(maxsize=16)(InputGroup.as_json)
    )
    # Each permissions value as sent, and as stored: many outputs share few values.
    _stored: dict[PermissionsSpec, PermissionsSpec] = field(default_factory=dict)

    @property
    def parents(self) -> set[UUID]:
        """The tasks outside the batch whose outputs it takes."""
        return self.references.parents if self.references else set()

    @property
    def permissions(self) -> set[PermissionsSpec]:
        """Every permissions value that the new tasks point to."""
        logs = {row["logs_permission_id"] for row in self.tasks}
        return logs | {row["permissions_id"] for row in self.outputs}

    @property
    def sample_sets(self) -> set[AssetKeys]:
        """Every list of data samples that the new tasks take."""
        return {row["sample_set_id"] for row in self.inputs if row["sample_set_id"] is not None}

    @property
    def is_current(self) -> bool:
        """Whether everything that the batch refers to is unchanged since the check."""
        return self.references is None or reload_context(self.references) == self.context

    def stored_permissions(self, spec: TaskSpec) -> dict[str, PermissionsSpec]:
        """Return who can use each output of a task, as stored."""
        stored = self._stored
        for output in spec.outputs.values():
            if output.permissions not in stored:
                stored[output.permissions] = output.permissions.owned_by(self.owner)
        return {name: stored[output.permissions] for name, output in spec.outputs.items()}


def check_batch(specs: Sequence[TaskSpec], plan_key: UUID, owner: str) -> Batch:
    """Return the checked batch of tasks of one plan; nothing is written.

    A constant number of queries. Problems carry paths such as ``tasks[3].inputs[0].asset_key``.

    This is the slow part and needs no lock: before a batch is written, `Batch.is_current` is
    verified. Tasks that exist already stay as they are; tasks registered in between conflict when
    the batch is written.
    """
    batch = Batch(owner)
    if not specs:
        return batch
    batch.problems += rules.check_unique_keys(specs)
    index_of = {spec.key: index for index, spec in enumerate(specs)}
    valid = []
    for index, spec in enumerate(specs):
        if problems := list(rules.check_task_values(spec)):
            batch.problems += _below(index, problems)
        else:
            valid.append(spec)
    ranks = _check_existing(batch, specs, plan_key)
    new = [spec for spec in valid if spec.key not in ranks]
    if new:
        batch.references, context = load_context(new)
        batch.context = replace(context, tasks=dict(context.tasks))
        ranks |= _check_references(batch, new, index_of, context)
    batch.keys = sorted(ranks, key=lambda key: (ranks[key], index_of[key]))
    return batch


def _below(index: int, problems: Iterable[Problem]) -> list[Problem]:
    return [problem.below(f"tasks[{index}]") for problem in problems]


def _check_existing(batch: Batch, specs: Sequence[TaskSpec], plan_key: UUID) -> dict[UUID, int]:
    """4: return the ranks of tasks that are registered already; other content is a conflict."""
    rows = Task.objects.filter(key__any={spec.key for spec in specs}).values_list(
        "key", "owner_id", "compute_plan_id", "digest", "worker_id", "rank"
    )
    existing = {row[0]: row[1:] for row in rows}
    for index, spec in enumerate(specs) if existing else ():
        if spec.key not in existing:
            continue
        owner, plan, found, worker, _rank = existing[spec.key]
        digest = spec.digest_as(batch.stored_permissions(spec), batch.json_of)
        same = (owner, plan, found) == (batch.owner, plan_key, digest)
        if not same or (spec.worker and spec.worker != worker):
            message = _(
                '%(asset)s with key "%(key)s" already exists with another content, plan or owner; '
                "choose a new key."
            )
            batch.problems.append(
                Problem(
                    Code.CONFLICT,
                    message % {"asset": TASK, "key": spec.key},
                    f"tasks[{index}].key",
                    key=str(spec.key),
                )
            )
    return {key: row[-1] for key, row in existing.items()}


def _check_references(
    batch: Batch, valid: Sequence[TaskSpec], index_of: Mapping[UUID, int], context: BatchContext
) -> dict[UUID, int]:
    """5 to 24, parents before children; return the ranks of the new tasks."""
    parents = {
        spec.key: [group.parent_task_key for group in spec.inputs if group.parent_task_key]
        for spec in valid
    }
    ranks = sort_by_rank(parents, {key: task.rank for key, task in context.tasks.items()})
    batch.problems += rules.check_graph(valid, index_of, ranks, context)
    by_key = {spec.key: spec for spec in valid}
    for key, rank in ranks.items():
        check = TaskCheck(by_key[key], batch.owner, context)
        if problems := list(check.problems()):
            batch.reference_problems += _below(index_of[key], problems)
        _add(batch, check, rank, [context.tasks[parent].status for parent in set(parents[key])])
    return ranks


def _add(batch: Batch, check: TaskCheck, rank: int, parent_statuses: Sequence[str]) -> None:
    """Add the task to the rows to write, and to the parents that later tasks can name.

    What all tasks share (owner, plan, creation date) is left to the caller.
    """
    spec, function = check.spec, check.function
    status = TaskStatus.WAITING_FOR_BUILDER_SLOT
    if function is not None:
        status = initial_status(function.status, parent_statuses)
    logs, outputs = check.logs_permission, batch.stored_permissions(spec)
    check.context.tasks[spec.key] = TaskInfo(spec.function_key, rank, status, logs, outputs)
    batch.tasks.append(
        {
            "key": spec.key,
            "function_id": spec.function_key,
            "worker_id": check.worker,
            "rank": rank,
            "tag": spec.tag,
            "metadata": spec.metadata,
            "status": status,
            # Only a function that could not be built makes a task fail at registration.
            "error_type": ErrorType.BUILD if status == TaskStatus.FAILED else "",
            "logs_permission_id": logs,
            "digest": spec.digest_as(outputs, batch.json_of),
        }
    )
    batch.inputs += _input_rows(check)
    batch.outputs += [
        {
            "task_id": spec.key,
            "identifier": identifier,
            "permissions_id": outputs[identifier],
            "transient": output.transient,
        }
        for identifier, output in spec.outputs.items()
    ]


def _input_rows(check: TaskCheck) -> Iterator[Row]:
    """Yield a row for each list of data samples, and for each other input."""
    for position, group, declared in check.inputs:
        kind = declared.kind if declared else ""
        keys = group.asset_keys
        sources: Sequence[Any] = [keys] if kind == AssetKind.DATA_SAMPLE else keys or [None]
        for offset, source in enumerate(sources):
            yield {
                "task_id": check.spec.key,
                "position": position + offset,
                "identifier": group.identifier,
                "dataset_id": source if kind == AssetKind.DATA_MANAGER else None,
                "sample_set_id": source if kind == AssetKind.DATA_SAMPLE else None,
                "model_id": source if kind == AssetKind.MODEL else None,
                "parent_task_id": group.parent_task_key,
                "parent_output_identifier": group.parent_task_output_identifier or "",
            }


def complete_rows(
    batch: Batch,
    permissions: Mapping[PermissionsSpec, int],
    sample_sets: Mapping[AssetKeys, int],
    now: datetime,
) -> None:
    """Add to the rows what is known only inside the transaction that inserts them."""
    for row in batch.tasks:
        row["logs_permission_id"] = permissions[row["logs_permission_id"]]
        row["end_date"] = now if row["status"] in FINAL else None
    for row in batch.inputs:
        if row["sample_set_id"] is not None:
            row["sample_set_id"] = sample_sets[row["sample_set_id"]]
    for row in batch.outputs:
        row["permissions_id"] = permissions[row["permissions_id"]]
