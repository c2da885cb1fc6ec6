"""What tasks wait for: runners of which organisations, and parents."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet

from ...common.db.aggregates import CountOf
from ...common.db.compiled import Compiled
from ..models import Model, Performance, ProfilingStep, Task, TaskInput
from ..statuses import TaskStatus

_TO_BUILD, _TO_RUN = TaskStatus.WAITING_FOR_BUILDER_SLOT, TaskStatus.WAITING_FOR_EXECUTOR_SLOT


# Returns, of the keys of tasks, those of tasks that wait for an approval. `AssetsConfig.ready`
# registers that of the room above.
WITHOUT_APPROVAL: list[Callable[[Collection[UUID]], Collection[UUID]]] = []


class WaitingTasks(NamedTuple):
    """Tasks of a plan that wait for a runner of the same organisation."""

    # Whether the runner has to build their function before.
    to_build: bool
    organization: str
    number: int


def waiting_for_runners(plan_key: UUID) -> list[WaitingTasks]:
    """Return the tasks of a plan that wait for runners, by what these do, and whose they are.

    Tasks wait for the function's owner until it is built, and then for their worker. One query.
    """
    found: Counter[tuple[bool, str]] = Counter()
    for status, worker, owner, count in _waiting([plan_key]):
        to_build = status == _TO_BUILD
        found[to_build, owner if to_build else worker] += count
    return [
        WaitingTasks(*key, number)
        for key, number in sorted(found.items(), key=lambda item: (not item[0][0], item[0][1]))
    ]


@Compiled
def _waiting(plan_keys: Collection[UUID]) -> QuerySet:
    tasks = Task.objects.filter(compute_plan_id__only=plan_keys, status__in=(_TO_BUILD, _TO_RUN))
    grouped = tasks.order_by().values("status", "worker_id", "function__owner_id")
    counted = grouped.annotate(number=Count("pk"))
    return counted.values_list("status", "worker_id", "function__owner_id", "number")


def open_parents(task_key: UUID) -> int:
    """Return of how many tasks that are not DONE a task takes outputs; one query."""
    return len(_parents([task_key]))


@Compiled
def _parents(task_keys: Collection[UUID]) -> QuerySet:
    return _open_parents(task_id__only=task_keys)


def _open_parents(**task: Any) -> QuerySet:
    inputs = TaskInput.objects.filter(parent_task__isnull=False, **task).order_by()
    waiting = inputs.exclude(parent_task__status=TaskStatus.DONE)
    return waiting.values_list("parent_task_id").distinct()


def progress_of(task_key: UUID) -> list[tuple[Any, ...]]:
    """Return how many open parents, models, performances and steps a task has; one query."""
    return _progress([task_key])


@Compiled
def _progress(task_keys: Collection[UUID]) -> QuerySet:
    task = OuterRef("pk")
    counted = (
        _open_parents(task=task),
        Model.objects.filter(task=task).order_by().values("pk"),
        Performance.objects.filter(output__task=task).order_by().values("pk"),
        ProfilingStep.objects.filter(task=task).order_by().values("pk"),
    )
    return Task.objects.filter(key__only=task_keys).values_list(*map(CountOf, counted))
