"""What running work does to tasks, and what follows for functions' tasks, children and plans.

Each function changes any number of tasks with a constant number of statements, all or none, and
locks their plans first. So whoever holds the lock of a plan knows the statuses of its tasks.
Source: contract 3.7 and 4.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ...common.db.compiled import Compiled
from ...common.errors import Code, Problem, not_found, refuse_if
from ...common.kinds import AssetKind
from ...feed.models import Event
from ...feed.registration import Actor, record
from ...functions.models import FunctionStatus
from ...functions.registration import change_status
from ..models import ComputePlan, Task, TaskInput
from ..queries.relations import keys_of_children
from ..specs import TASK
from ..statuses import FINAL, TRANSITIONS, ErrorType, TaskStatus
from . import counters
from .saving import save_progress

Plans = Mapping[UUID, ComputePlan]
# Key, plan and status of a task.
Row = tuple[UUID, UUID, str]
_CAN_RUN = TaskStatus.WAITING_FOR_EXECUTOR_SLOT


def move_tasks(
    keys: Collection[UUID],
    status: TaskStatus,
    actor: Actor,
    error_type: str = "",
    reason: str = "",
    *,
    report: Callable[[datetime], object] | None = None,
) -> None:
    """Change the status of tasks; when they are DONE, children whose parents all are can run.

    Args:
        reason: what the events of the tasks, and of plans that end by it, say of it.
        report: writes what else the work reports, before the change and with its time.

    Raises:
        Refused: a task does not exist, or its status cannot be followed by this one.
    """

    plans_of = _plans_of_family if status == TaskStatus.DONE else _plans_of

    def concerned() -> Iterable[UUID]:
        return (plan for (plan,) in plans_of(keys))

    def change(plans: Plans, now: datetime) -> None:
        tasks = _tasks_of(keys)
        refuse_if(_check_transition(keys, tasks, status))
        if report:
            report(now)
        columns = {"error_type": error_type} if status == TaskStatus.FAILED else {}
        _move(tasks, status, plans, now, **columns)
        _record_tasks(actor, keys, status, now, reason)
        if status == TaskStatus.DONE:
            _move(_freed_children(keys), _CAN_RUN, plans, now)

    _with_locked_plans(concerned, change, actor, reason)


def start_tasks(plan: ComputePlan, keys: Collection[UUID], actor: Actor) -> None:
    """Start tasks of a locked plan that wait for an executor, in the caller's transaction."""
    now = timezone.now()
    _move([(key, plan.key, _CAN_RUN) for key in keys], TaskStatus.EXECUTING, {plan.key: plan}, now)
    _record_tasks(actor, keys, TaskStatus.EXECUTING, now)
    save_progress(plan, actor, now)


def move_function(key: UUID, status: FunctionStatus, actor: Actor) -> None:
    """Change the status of a function, and of the tasks that wait for it.

    Raises:
        Refused: the function does not exist, or its status cannot be followed by this one.
    """
    # A direct WAITING -> CANCELED leaves its tasks alone, as in the reference server.
    before = (
        TaskStatus.WAITING_FOR_BUILDER_SLOT
        if status == FunctionStatus.BUILDING
        else TaskStatus.BUILDING
    )

    def waiting() -> QuerySet[Task]:
        return Task.objects.filter(function_id=key, status=before)

    def concerned() -> Iterable[UUID]:
        return waiting().values_list("compute_plan_id", flat=True).distinct()

    def change(plans: Plans, now: datetime) -> None:
        change_status(key, status, actor, now)
        if status == FunctionStatus.READY:
            _move(_rows(_without_open_parents(waiting())), _CAN_RUN, plans, now)
            _move(_rows(waiting()), TaskStatus.WAITING_FOR_PARENT_TASKS, plans, now)
        elif status == FunctionStatus.FAILED:
            _move(_rows(waiting()), TaskStatus.FAILED, plans, now, error_type=ErrorType.BUILD)
        elif status == FunctionStatus.CANCELED:
            _move(_rows(waiting()), TaskStatus.CANCELED, plans, now)
        else:
            _move(_rows(waiting()), TaskStatus.BUILDING, plans, now)

    _with_locked_plans(concerned, change, actor)


def _with_locked_plans(
    concerned: Callable[[], Iterable[UUID]],
    change: Callable[[Plans, datetime], None],
    actor: Actor,
    reason: str = "",
) -> None:
    """Lock the plans that are concerned, change their tasks, and save what follows for the plans.

    All plans are locked by one statement in the order of keys, so that two changes cannot wait for
    each other. Until then, a task of one more plan may be registered; then it starts again.
    """
    wanted = set(concerned())
    while True:
        try:
            with transaction.atomic():
                plans = counters.lock_plans(wanted)
                if more := set(concerned()) - wanted:
                    raise _MorePlans(more)
                now = timezone.now()
                change(plans, now)
                for plan in plans.values():
                    save_progress(plan, actor, now, reason)
                return
        except _MorePlans as error:
            wanted |= error.keys


class _MorePlans(Exception):
    """Tasks of more plans than those that are locked have been registered meanwhile."""

    def __init__(self, keys: set[UUID]) -> None:
        self.keys = keys
        super().__init__()


def _row(tasks: QuerySet[Task]) -> QuerySet:
    return tasks.order_by().values_list("key", "compute_plan_id", "status")


def _rows(tasks: QuerySet[Task]) -> list[Row]:
    return list(_row(tasks))


@Compiled
def _tasks_of(keys: Collection[UUID]) -> QuerySet:
    return _row(Task.objects.filter(key__any=keys))


@Compiled
def _plans_of(keys: Collection[UUID]) -> QuerySet:
    tasks = Task.objects.order_by().filter(key__any=keys)
    return tasks.values_list("compute_plan_id").distinct()


@Compiled
def _plans_of_family(keys: Collection[UUID]) -> QuerySet:
    """The plans of tasks, and of their children that wait."""
    tasks = Task.objects.order_by().filter(key__any=keys).values_list("compute_plan_id")
    return tasks.union(_waiting_children(keys).order_by().values_list("compute_plan_id"))


@Compiled
def _freed_children(keys: Collection[UUID]) -> QuerySet:
    return _row(_without_open_parents(_waiting_children(keys)))


def _move(
    tasks: Sequence[Row], status: TaskStatus, plans: Plans, now: datetime, **columns: Any
) -> None:
    """Change the status of tasks and the counters of their plans, which are locked."""
    if status == TaskStatus.EXECUTING:
        columns["start_date"] = now
    elif status in FINAL:
        columns["end_date"] = now
    if not tasks:
        return
    if more := {row[1] for row in tasks} - plans.keys():
        raise _MorePlans(more)
    Task.objects.filter(key__any=[row[0] for row in tasks]).update(status=status, **columns)
    for (plan, before), count in Counter(row[1:] for row in tasks).items():
        counters.move(plans[plan], TaskStatus(before), status, count)


def _waiting_children(keys: Collection[UUID]) -> QuerySet[Task]:
    waiting = Task.objects.filter(status=TaskStatus.WAITING_FOR_PARENT_TASKS)
    return waiting.filter(pk__in=keys_of_children(keys))


def _without_open_parents(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Return the tasks of which every parent is DONE."""
    parents = TaskInput.objects.filter(task=OuterRef("pk"), parent_task__isnull=False)
    return tasks.exclude(Exists(parents.exclude(parent_task__status=TaskStatus.DONE)))


def _check_transition(
    keys: Collection[UUID], tasks: Sequence[Row], status: TaskStatus
) -> Iterator[Problem]:
    found = {key: before for key, _plan, before in tasks}
    for key in keys:
        if key not in found:
            yield not_found(TASK, key)
        elif status not in TRANSITIONS[TaskStatus(found[key])]:
            message = f'Task "{key}" is {found[key]} and cannot become {status}.'
            yield Problem(Code.CONFLICT, message, key=str(key))


def _record_tasks(
    actor: Actor, keys: Collection[UUID], status: TaskStatus, now: datetime, reason: str = ""
) -> None:
    action = Event.Action.STARTED if status == TaskStatus.EXECUTING else Event.Action.ENDED
    detail = {"status": status.removeprefix("STATUS_")} if status in FINAL else {}
    if reason:
        detail["reason"] = reason
    names = dict.fromkeys(keys, "")
    record(actor, action, AssetKind.COMPUTE_TASK, names, when=now, detail=detail)
