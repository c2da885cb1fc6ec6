"""The only writer of compute plans and tasks.

A batch is checked as a whole (`batch.prepare`) and then written as a whole: as many statements
for one task as for 10,000. Checking takes longer than writing and keeps no other writer waiting:
inside the transaction it is only asked whether what was found is still true.

Registering is idempotent (decision 3): what exists already with the same owner, plan and content is
left alone and answered like a success.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from ..accounts.models import User
from ..common.db import bulk
from ..common.errors import Code, Problem, refuse, refuse_if
from ..common.kinds import AssetKind
from ..feed.models import Event
from ..feed.registration import record, rename
from ..permissions.access import check_may_change, check_may_register
from ..permissions.registration import intern_permissions
from . import plans, rules
from .batch import Batch, as_rows, complete_rows, is_still_true, prepare
from .models import ComputePlan, Task, TaskInput, TaskOutput
from .specs import PLAN, ComputePlanSpec, TaskSpec

Result = TypeVar("Result")

_SAME_PLAN = "All tasks should have the same compute plan key"


def check_compute_plan(spec: ComputePlanSpec, actor: User) -> list[Problem]:
    """Return all that stands against registering the plan with its tasks; nothing is written."""
    if problems := list(check_may_register(actor)):
        return problems
    plan = ComputePlan.objects.filter(pk=spec.key).first()
    problems = list(rules.check_plan_values(spec))
    if plan is not None:
        problems += _check_same_plan(plan, spec, actor)
    batch = prepare(spec.tasks, spec.key, actor.acts_for)
    return problems + _problems_of(batch, plan, spec.key, spec.tasks, actor)


def register_compute_plan(spec: ComputePlanSpec, actor: User) -> ComputePlan:
    """Register a plan and its tasks, all or none; raise `Refused` or return the row."""
    refuse_if(check_may_register(actor))
    refuse_if(rules.check_plan_values(spec))

    def register() -> ComputePlan:
        batch = _prepared(spec.tasks, spec.key, actor)
        with transaction.atomic():
            found = plans.lock([spec.key], _parents_of(batch))
            plan = _found_or_inserted(found.get(spec.key), spec, actor)
            if spec.tasks:
                _register_batch(batch, plan, spec.tasks, actor)
        return plan

    return _once_more_on_conflict(register)


def register_tasks(
    specs: Sequence[TaskSpec], actor: User, plan_key: UUID | None = None
) -> list[UUID]:
    """Register a batch of tasks of one plan, all or none; return their keys in dependency order.

    The plan is the one that the tasks name, or `plan_key` for those that name none. A single task
    without a plan gets one of its own, named after the task's key.
    """
    refuse_if(check_may_register(actor))
    return _once_more_on_conflict(lambda: _register_tasks(specs, actor, plan_key))


def _register_tasks(specs: Sequence[TaskSpec], actor: User, plan_key: UUID | None) -> list[UUID]:
    refuse_if(_check_plan_keys(specs, plan_key))
    key = _plan_key_of(specs, plan_key)
    plan = _plan_of(specs, key)
    if plan is None:
        refuse_if(_check_plan_is_known(specs, key))
    target = plan.key if plan else uuid.uuid4()
    batch = _prepared(specs, target, actor)
    with transaction.atomic():
        found = plans.lock([target], _parents_of(batch))
        if plan is None:
            own = ComputePlanSpec(target, name=str(specs[0].key))
            plan = _found_or_inserted(None, own, actor)
        else:
            plan = found[target]
        return _register_batch(batch, plan, specs, actor)


def _once_more_on_conflict(register: Callable[[], Result]) -> Result:
    # Another request registered one of the keys between our look and our insert. Looking again
    # finds its row, and answers with it or with a conflict.
    try:
        return register()
    except IntegrityError:
        return register()


def _check_same_plan(plan: ComputePlan, spec: ComputePlanSpec, actor: User) -> list[Problem]:
    if plan.owner_id == actor.acts_for and plan.digest == spec.digest():
        return []
    return [_conflict(PLAN, plan.key)]


def _conflict(asset: str, key: UUID) -> Problem:
    return Problem(
        Code.CONFLICT,
        f'{asset} with key "{key}" already exists with another content or owner; choose a new key.',
        "key",
        asset,
        str(key),
    )


def _found_or_inserted(plan: ComputePlan | None, spec: ComputePlanSpec, actor: User) -> ComputePlan:
    """Return the plan that was found under the spec's key, if it is the same, or insert it."""
    if plan is not None:
        refuse_if(_check_same_plan(plan, spec, actor))
        return plan
    plan = ComputePlan(
        key=spec.key,
        owner_id=actor.acts_for,
        name=spec.name,
        tag=spec.tag,
        metadata=dict(spec.metadata),
        creator=actor,
        digest=spec.digest(),
    )
    plan.save(force_insert=True)
    _record(actor, Event.Action.REGISTERED, plan, plan.creation_date)
    return plan


def _record(actor: User, action: str, plan: ComputePlan, when: datetime, **detail: str) -> None:
    record(actor, action, AssetKind.COMPUTE_PLAN, {plan.key: plan.name}, when=when, detail=detail)


def _problems_of(
    batch: Batch, plan: ComputePlan | None, key: UUID, specs: Sequence[TaskSpec], actor: User
) -> list[Problem]:
    """Return all problems of a batch, in the contract's order; the plan may not exist yet."""
    problems = list(batch.problems)
    if any(spec.compute_plan_key not in (None, key) for spec in specs):
        problems.insert(0, Problem(Code.BAD_REQUEST, f'{_SAME_PLAN}, "{key}".'))
    if plan is not None:
        problems += check_may_change(actor, plan, "add tasks to this compute plan")
        if batch.new:
            problems += rules.check_takes_tasks(plan.status, plan.key)
    return problems + batch.unfit


def _prepared(specs: Sequence[TaskSpec], plan_key: UUID, actor: User) -> Batch:
    """Return the batch, checked and, if it is without problems, ready to be written."""
    batch = prepare(specs, plan_key, actor.acts_for)
    if not batch.problems and not batch.unfit:
        as_rows(batch)
    return batch


def _register_batch(
    batch: Batch, plan: ComputePlan, specs: Sequence[TaskSpec], actor: User
) -> list[UUID]:
    """Register tasks in their plan, which is locked, as are the plans of their parents."""
    if not is_still_true(batch):
        batch = _prepared(specs, plan.key, actor)
    refuse_if(_problems_of(batch, plan, plan.key, specs, actor))
    if batch.new:
        _insert_tasks(plan, batch, actor)
    return batch.keys


def _insert_tasks(plan: ComputePlan, batch: Batch, actor: User) -> None:
    now = timezone.now()
    permissions = intern_permissions(batch.permissions)
    complete_rows(batch, permissions, now)
    tasks, inputs, outputs = batch.rows
    same = {"owner_id": batch.owner, "compute_plan_id": plan.key, "creation_date": now}
    bulk.insert(Task, tasks, same=same)
    bulk.insert(TaskInput, inputs)
    bulk.insert(TaskOutput, outputs)
    names = {row["key"]: "" for row in tasks}
    record(actor, Event.Action.REGISTERED, AssetKind.COMPUTE_TASK, names, when=now)
    plans.count_in(plan, [row["status"] for row in tasks])
    _save_derived(plan, actor, now)


def _save_derived(plan: ComputePlan, actor: User, now: datetime) -> None:
    """Recompute what follows from the plan's tasks, save it, and record a start or an end."""
    started, ended = plan.start_date, plan.end_date
    plans.derive(plan, now)
    plan.save(update_fields=plans.DERIVED)
    if plan.start_date and not started:
        _record(actor, Event.Action.STARTED, plan, plan.start_date)
    if plan.end_date and plan.end_date != ended:
        status = plan.status.removeprefix("PLAN_")
        detail = {"first_failed_task_key": str(plan.failed_task_key)}
        failed = plan.failed_task_key is not None and status == "STATUS_FAILED"
        _record(
            actor,
            Event.Action.ENDED,
            plan,
            plan.end_date,
            status=status,
            **(detail if failed else {}),
        )


def rename_compute_plan(plan: ComputePlan, name: str, actor: User) -> None:
    """Change the one thing about a compute plan that its owner can change."""
    rename(actor, AssetKind.COMPUTE_PLAN, plan, name)


def check_cancel(plan: ComputePlan, actor: User) -> list[Problem]:
    """Return what stands against cancelling the plan; nothing is written."""
    if problems := list(check_may_change(actor, plan, "cancel this compute plan")):
        return problems
    return list(rules.check_can_be_cancelled(plan.status, plan.key))


@transaction.atomic
def cancel_compute_plan(key: UUID, actor: User) -> ComputePlan:
    """Cancel a plan and those of its tasks that are not final; raise `Refused` when it cannot be.

    Tasks of other plans that wait for a cancelled one are left as they are.
    """
    plan = plans.lock([key]).get(key)
    if plan is None:
        raise refuse(Code.NOT_FOUND, f'{PLAN} with key "{key}" not found', asset=PLAN)
    refuse_if(check_cancel(plan, actor))
    now = timezone.now()
    plans.cancel_tasks(plan, now)
    plan.cancelation_date = now
    plan.save(update_fields=["cancelation_date"])
    _record(actor, Event.Action.CANCELED, plan, now)
    _save_derived(plan, actor, now)
    return plan


def check_tasks(
    specs: Sequence[TaskSpec], actor: User, plan_key: UUID | None = None
) -> list[Problem]:
    """Return all that stands against `register_tasks` with the same; nothing is written."""
    if problems := list(check_may_register(actor)) or list(_check_plan_keys(specs, plan_key)):
        return problems
    key = _plan_key_of(specs, plan_key)
    plan = _plan_of(specs, key)
    if plan is None and (problems := list(_check_plan_is_known(specs, key))):
        return problems
    target = plan.key if plan else uuid.uuid4()
    return _problems_of(prepare(specs, target, actor.acts_for), plan, target, specs, actor)


def _check_plan_keys(specs: Sequence[TaskSpec], plan_key: UUID | None) -> Iterator[Problem]:
    """1: all tasks of a batch are of one plan."""
    keys = {spec.compute_plan_key or plan_key for spec in specs}
    if len(keys | {plan_key} if plan_key else keys) > 1:
        yield Problem(Code.BAD_REQUEST, f"{_SAME_PLAN}; send a batch per plan.")


def _plan_key_of(specs: Sequence[TaskSpec], plan_key: UUID | None) -> UUID | None:
    return plan_key or next((spec.compute_plan_key for spec in specs), None)


def _check_plan_is_known(specs: Sequence[TaskSpec], key: UUID | None) -> Iterator[Problem]:
    """1: the plan is registered; a single task may do without and gets one of its own."""
    if key or len(specs) != 1:
        yield Problem(
            Code.BAD_REQUEST,
            f'Invalid compute plan key: no compute plan has the key "{key or ""}"; '
            "register the plan first.",
        )


def _plan_of(specs: Sequence[TaskSpec], key: UUID | None) -> ComputePlan | None:
    """Return the plan that the batch is of, or that its one task without a plan is in already."""
    if key is None and len(specs) == 1:
        return ComputePlan.objects.filter(tasks__key=specs[0].key).first()
    return ComputePlan.objects.filter(pk=key).first() if key else None


def _parents_of(batch: Batch) -> set[UUID]:
    """Return the tasks outside the batch whose outputs it takes."""
    return batch.references.parents if batch.references else set()
