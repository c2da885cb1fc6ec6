"""What a task can report: its outputs, what is declared of them, and what they have already."""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from ...common.db.compiled import Compiled
from ...common.errors import Code, Problem, not_found
from ...common.kinds import AssetKind
from ...functions.models import FunctionOutput
from ..models import Model, Performance, Task
from ..specs import TASK
from ..statuses import TaskStatus


class Slot(NamedTuple):
    """An output of a task; `kind` and `multiple` are those that the function declares."""

    output: int
    permissions: int
    kind: AssetKind
    multiple: bool
    has_model: bool
    performance: float | None

    @property
    def is_filled(self) -> bool:
        return self.has_model or self.performance is not None


class Slots(NamedTuple):
    """A task's status, worker and plan, and its outputs by identifier."""

    task: UUID
    status: TaskStatus
    worker: str
    plan: UUID
    outputs: Mapping[str, Slot]

    def problems(
        self, identifier: str, kind: AssetKind, *, again: bool = False
    ) -> Iterator[Problem]:
        """Yield why an output cannot get a result of this kind; `again`: in place of another."""
        if self.status != TaskStatus.EXECUTING:
            message = (
                f'Task "{self.task}" is {self.status}. Only an executing task reports results.'
            )
            yield Problem(Code.CONFLICT, message, key=str(self.task))
        slot = self.outputs.get(identifier)
        if slot is None or slot.kind != kind:
            message = (
                f'The function of task "{self.task}" has no output "{identifier}" of kind {kind}.'
            )
            yield Problem(Code.INVALID, message, "identifier")
        elif slot.is_filled and not (slot.multiple or again):
            message = f'Output "{identifier}" of task "{self.task}" has its one result already.'
            yield Problem(Code.CONFLICT, message, "identifier", key=str(self.task))

    def missing(self, reported: Collection[str]) -> Iterator[Problem]:
        """Yield a problem for each output that has no result, and is not reported now."""
        for name, slot in self.outputs.items():
            if not slot.is_filled and name not in reported:
                message = f'Output "{name}" of task "{self.task}" has no result. Report it first.'
                yield Problem(Code.CONFLICT, message, key=str(self.task))


def slots_of(task_key: UUID) -> Slots | Problem:
    """Return what a task can report, in one query; or the problem that there is no such task."""
    rows = _slots([task_key])
    if not rows:
        return not_found(TASK, task_key)
    status, worker, plan = rows[0][:3]
    outputs = {name: Slot(*slot) for _, _, _, name, *slot in rows if name is not None}
    return Slots(task_key, TaskStatus(status), worker, plan, outputs)


@Compiled
def _slots(task_keys: Collection[UUID]) -> QuerySet:
    declared = FunctionOutput.objects.filter(
        function=OuterRef("function"), identifier=OuterRef("outputs__identifier")
    )
    of_output = {"output": OuterRef("outputs__id")}
    return Task.objects.filter(pk__only=task_keys).values_list(
        "status",
        "worker_id",
        "compute_plan_id",
        "outputs__identifier",
        "outputs__id",
        "outputs__permissions_id",
        Subquery(declared.values("kind")),
        Subquery(declared.values("multiple")),
        Exists(Model.objects.filter(**of_output)),
        Subquery(Performance.objects.filter(**of_output).values("value")),
    )
