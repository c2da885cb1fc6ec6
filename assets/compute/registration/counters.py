"""What follows for a plan from its tasks: counters, status, dates. Source: contract 3.7."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Max

from ..models import ComputePlan, Task
from ..statuses import COUNTERS, FINAL, PlanStatus, TaskStatus, plan_status

# What `update_progress` and `count_in` set.
PROGRESS_FIELDS = [
    "status",
    "start_date",
    "end_date",
    "failed_task_key",
    "task_count",
    *COUNTERS.values(),
]


def lock_plans(keys: Collection[UUID], parents: Collection[UUID] = ()) -> dict[UUID, ComputePlan]:
    """Return these plans, locked until the transaction ends.

    The plans of `parents`, which are keys of tasks, are locked and returned with them: if one is
    being cancelled, this waits, so that a child sees its parent's final status. All are locked by
    one statement in the order of keys; otherwise two batches with each other's parents could
    deadlock.
    """
    wanted = set(keys)
    if parents:
        # Needs no lock: a task never changes its plan.
        tasks = Task.objects.filter(key__any=parents)
        wanted.update(tasks.values_list("compute_plan_id", flat=True).distinct())
    plans = ComputePlan.objects.select_for_update().filter(key__any=wanted).order_by("key")
    return {plan.key: plan for plan in plans}


def lock_one_plan(keys: Sequence[UUID]) -> ComputePlan | None:
    """Return one of these plans, locked until the transaction ends.

    It is one that no one else has locked. If there is none, this waits for the first one.
    """
    free = ComputePlan.objects.select_for_update(skip_locked=True).filter(key__any=keys)
    found = free.order_by("creation_date", "key")[:1]
    return next(iter(found), None) or lock_plans(keys[:1]).get(keys[0])


def count_in(plan: ComputePlan, statuses: Sequence[str]) -> None:
    """Add new tasks to the plan's counters, by their statuses."""
    plan.task_count += len(statuses)
    for status, count in Counter(statuses).items():
        column = COUNTERS[TaskStatus(status)]
        setattr(plan, column, getattr(plan, column) + count)


def move(plan: ComputePlan, before: TaskStatus, after: TaskStatus, count: int) -> None:
    """Count tasks of the plan in another status than before."""
    for status, change in ((before, -count), (after, count)):
        column = COUNTERS[status]
        setattr(plan, column, getattr(plan, column) + change)


def cancel_tasks(plan: ComputePlan, now: datetime) -> None:
    """Cancel the plan's tasks that are not final, and update its counters."""
    open_tasks = Task.objects.filter(compute_plan=plan).exclude(status__in=FINAL)
    cancelled = open_tasks.update(status=TaskStatus.CANCELED, end_date=now)
    for status, column in COUNTERS.items():
        if status not in FINAL:
            setattr(plan, column, 0)
    plan.canceled_count += cancelled


def update_progress(plan: ComputePlan, now: datetime) -> None:
    """Set the plan's status and dates from its counters and its tasks."""
    plan.status = plan_status(plan.counts, cancelled=plan.cancelation_date is not None)
    # A plan cancelled before any task ran has never started.
    if plan.start_date is None and plan.status not in (PlanStatus.CREATED, PlanStatus.CANCELED):
        plan.start_date = now
    plan.end_date = _end_date(plan)
    if plan.status == PlanStatus.FAILED and plan.failed_task_key is None:
        failed = Task.objects.filter(compute_plan=plan, status=TaskStatus.FAILED)
        plan.failed_task_key = (
            failed.order_by("end_date", "key").values_list("key", flat=True).first()
        )


def _end_date(plan: ComputePlan) -> datetime | None:
    if plan.cancelation_date:
        return plan.cancelation_date
    unfinished = plan.task_count - plan.done_count - plan.failed_count - plan.canceled_count
    if unfinished and not (plan.failed_count or plan.canceled_count):
        return None
    latest = Task.objects.filter(compute_plan=plan).aggregate(latest=Max("end_date"))["latest"]
    return latest or plan.end_date
