"""Registers batches of tasks."""

import uuid
from collections.abc import Iterator, Sequence
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from ...accounts.models import User
from ...common.errors import Code, Problem, refuse_if
from ...permissions.access import check_may_register
from ..models import ComputePlan
from ..specs import ComputePlanSpec, TaskSpec
from . import counters
from .batch import check_batch
from .plans import insert_plan
from .saving import problems_of, retry_on_conflict, save_batch


def check_tasks(
    specs: Sequence[TaskSpec], actor: User, plan_key: UUID | None = None
) -> list[Problem]:
    """Return why `register_tasks` would refuse the same; nothing is written."""
    if problems := list(check_may_register(actor)):
        return problems
    plan, problems = _find_plan(specs, plan_key)
    if problems:
        return problems
    target = plan.key if plan else uuid.uuid4()
    return problems_of(check_batch(specs, target, actor.acts_for), plan, target, specs, actor)


def register_tasks(
    specs: Sequence[TaskSpec], actor: User, plan_key: UUID | None = None
) -> list[UUID]:
    """Register a batch of tasks of one plan, all or none, and return their keys by dependency.

    The plan is the one that the tasks name, or `plan_key` for those that name none. A single task
    without a plan gets its own, named after the task's key.

    Raises:
        Refused: the actor may not register, or the batch breaks a rule.
    """
    refuse_if(check_may_register(actor))

    def register() -> list[UUID]:
        plan, problems = _find_plan(specs, plan_key)
        refuse_if(problems)
        target = plan.key if plan else uuid.uuid4()
        batch = check_batch(specs, target, actor.acts_for)
        with transaction.atomic():
            found = counters.lock_plans([target], batch.parents)
            own = ComputePlanSpec(target, name=str(specs[0].key)) if plan is None else None
            locked = insert_plan(own, actor) if own else found[target]
            return save_batch(batch, locked, specs, actor)

    return retry_on_conflict(register)


def _find_plan(
    specs: Sequence[TaskSpec], plan_key: UUID | None
) -> tuple[ComputePlan | None, list[Problem]]:
    """1: return the plan of a batch, None if its one task gets its own; or why there is none."""
    if problems := list(_check_plan_keys(specs, plan_key)):
        return None, problems
    key = plan_key or next((spec.compute_plan_key for spec in specs), None)
    if key:
        plan = ComputePlan.objects.filter(pk=key).first()
    elif len(specs) == 1:
        # Registered before, the task has its own plan already.
        return ComputePlan.objects.filter(tasks__key=specs[0].key).first(), []
    else:
        plan = None
    if plan is not None:
        return plan, []
    message = _(
        'Invalid compute plan key: no compute plan has the key "%(key)s"; register the plan first.'
    )
    return None, [Problem(Code.BAD_REQUEST, message % {"key": key or ""})]


def _check_plan_keys(specs: Sequence[TaskSpec], plan_key: UUID | None) -> Iterator[Problem]:
    """1: all tasks of a batch are of one plan."""
    keys = {spec.compute_plan_key or plan_key for spec in specs}
    if len(keys | {plan_key} if plan_key else keys) > 1:
        message = _("All tasks should have the same compute plan key; send a batch per plan.")
        yield Problem(Code.BAD_REQUEST, message)
