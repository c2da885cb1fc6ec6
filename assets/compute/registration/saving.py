"""Writes a checked batch of tasks into its plan, and what follows from it for the plan."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from ...accounts.models import User
from ...common.db import bulk
from ...common.errors import Code, Problem, refuse_if
from ...common.kinds import AssetKind
from ...datasets.registration import intern_sample_sets
from ...feed.models import Event
from ...feed.registration import Actor, record
from ...functions.registration import hold_statuses
from ...permissions.access import check_may_change
from ...permissions.registration import intern_permissions
from ..models import ComputePlan, Task, TaskInput, TaskOutput
from ..specs import TaskSpec
from . import counters, rules
from .batch import Batch, check_batch, complete_rows

Result = TypeVar("Result")


def retry_on_conflict(register: Callable[[], Result]) -> Result:
    """Return what `register` returns, called again if another request registered a key first.

    The second call finds the other's row, and answers with it or with a conflict.
    """
    try:
        return register()
    except IntegrityError:
        return register()


def problems_of(
    batch: Batch, plan: ComputePlan | None, key: UUID, specs: Sequence[TaskSpec], actor: User
) -> list[Problem]:
    """Return all problems of a batch, in the contract's order; the plan may not exist yet."""
    problems = list(batch.problems)
    if any(spec.compute_plan_key not in (None, key) for spec in specs):
        message = _('All tasks should have the same compute plan key, "%(key)s".') % {"key": key}
        problems.insert(0, Problem(Code.BAD_REQUEST, message))
    if plan is not None:
        problems += check_may_change(actor, plan, rules.OWNER_ADDS_TASKS)
        if batch.tasks:
            problems += rules.check_accepts_tasks(plan.status, plan.key)
    return problems + batch.reference_problems


def save_batch(
    batch: Batch, plan: ComputePlan, specs: Sequence[TaskSpec], actor: User
) -> list[UUID]:
    """Write the batch and return its keys in dependency order.

    The plan and the plans of the batch's parents must be locked.

    Raises:
        Refused: the batch has problems, or what it refers to changed and now has some.
    """
    if batch.references:
        hold_statuses(batch.references.functions)
    if not batch.is_current:
        batch = check_batch(specs, plan.key, actor.acts_for)
    refuse_if(problems_of(batch, plan, plan.key, specs, actor))
    if batch.tasks:
        _insert_tasks(plan, batch, actor)
    return batch.keys


def _insert_tasks(plan: ComputePlan, batch: Batch, actor: User) -> None:
    now = _after_all_tasks_of(plan)
    permissions = intern_permissions(batch.permissions)
    complete_rows(batch, permissions, intern_sample_sets(batch.sample_sets), now)
    same = {"owner_id": batch.owner, "compute_plan_id": plan.key, "creation_date": now}
    bulk.insert(Task, batch.tasks, same=same)
    bulk.insert(TaskInput, batch.inputs)
    bulk.insert(TaskOutput, batch.outputs)
    names = {row["key"]: "" for row in batch.tasks}
    record(actor, Event.Action.REGISTERED, AssetKind.COMPUTE_TASK, names, when=now)
    counters.count_in(plan, [row["status"] for row in batch.tasks])
    save_progress(plan, actor, now)


def _after_all_tasks_of(plan: ComputePlan) -> datetime:
    """Return the time, or a later one that is after the tasks that the plan has already.

    Who approves a plan approves the tasks up to a date. The clock of another server may be behind.
    """
    now = timezone.now()
    if not plan.task_count:
        return now
    tasks = Task.objects.filter(compute_plan=plan)
    latest = tasks.aggregate(latest=Max("creation_date"))["latest"] or now
    return max(now, latest + timedelta(microseconds=1))


def record_plan(
    actor: Actor, action: str, plan: ComputePlan, when: datetime, **detail: str
) -> None:
    """Log an event of a compute plan."""
    record(actor, action, AssetKind.COMPUTE_PLAN, {plan.key: plan.name}, when=when, detail=detail)


def save_progress(plan: ComputePlan, actor: Actor, now: datetime, reason: str = "") -> None:
    """Save what follows from the plan's tasks, and log a start or an end, and why it ended."""
    started, ended = plan.start_date, plan.end_date
    counters.update_progress(plan, now)
    plan.save(update_fields=counters.PROGRESS_FIELDS)
    if plan.start_date and not started:
        record_plan(actor, Event.Action.STARTED, plan, plan.start_date)
    if plan.end_date and plan.end_date != ended:
        detail = {"status": plan.status.removeprefix("PLAN_")}
        if plan.failed_task_key is not None and detail["status"] == "STATUS_FAILED":
            detail["first_failed_task_key"] = str(plan.failed_task_key)
        if reason:
            detail["reason"] = reason
        record_plan(actor, Event.Action.ENDED, plan, plan.end_date, **detail)
