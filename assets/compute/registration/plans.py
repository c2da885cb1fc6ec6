"""Registers, renames and cancels compute plans."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ...accounts.models import User
from ...common.errors import Code, Problem, refuse, refuse_if
from ...feed.models import Event
from ...permissions.access import check_may_change, check_may_register
from ..models import ComputePlan
from ..specs import PLAN, ComputePlanSpec
from . import counters, rules
from .batch import check_batch
from .saving import problems_of, record_plan, retry_on_conflict, save_batch, save_progress


def check_compute_plan(spec: ComputePlanSpec, actor: User) -> list[Problem]:
    """Return why the plan cannot be registered with its tasks; nothing is written."""
    if problems := list(check_may_register(actor)):
        return problems
    plan = ComputePlan.objects.filter(pk=spec.key).first()
    problems = list(rules.check_plan_values(spec))
    if plan is not None:
        problems += _check_same_plan(plan, spec, actor)
    batch = check_batch(spec.tasks, spec.key, actor.acts_for)
    return problems + problems_of(batch, plan, spec.key, spec.tasks, actor)


def register_compute_plan(spec: ComputePlanSpec, actor: User) -> ComputePlan:
    """Register a plan and its tasks, all or none, and return its row.

    Raises:
        Refused: the actor may not register, or the plan or a task breaks a rule.
    """
    refuse_if(check_may_register(actor))
    refuse_if(rules.check_plan_values(spec))

    def register() -> ComputePlan:
        batch = check_batch(spec.tasks, spec.key, actor.acts_for)
        with transaction.atomic():
            found = counters.lock_plans([spec.key], batch.parents)
            plan = insert_plan(spec, actor, found.get(spec.key))
            if spec.tasks:
                save_batch(batch, plan, spec.tasks, actor)
        return plan

    return retry_on_conflict(register)


def _check_same_plan(plan: ComputePlan, spec: ComputePlanSpec, actor: User) -> list[Problem]:
    if plan.owner_id == actor.acts_for and plan.digest == spec.digest():
        return []
    message = _(
        '%(asset)s with key "%(key)s" already exists with another content or owner; '
        "choose a new key."
    )
    message %= {"asset": PLAN, "key": plan.key}
    return [Problem(Code.CONFLICT, message, "key", PLAN, str(plan.key))]


def insert_plan(
    spec: ComputePlanSpec, actor: User, existing: ComputePlan | None = None
) -> ComputePlan:
    """Return the new row of the plan, or the existing one if it is the same plan.

    Raises:
        Refused: the existing plan has another owner or other content.
    """
    if existing is not None:
        refuse_if(_check_same_plan(existing, spec, actor))
        return existing
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
    record_plan(actor, Event.Action.REGISTERED, plan, plan.creation_date)
    return plan


def check_cancel(plan: ComputePlan, actor: User) -> list[Problem]:
    """Return why the actor cannot cancel the plan; nothing is written."""
    if problems := list(check_may_change(actor, plan, rules.OWNER_CANCELS)):
        return problems
    return list(rules.check_can_be_cancelled(plan.status, plan.key))


@transaction.atomic
def cancel_compute_plan(key: UUID, actor: User) -> ComputePlan:
    """Cancel a plan and its tasks that are not final, and return the plan.

    Tasks of other plans that wait for a cancelled task stay as they are.

    Raises:
        Refused: the plan does not exist, has ended, or is not the actor's to cancel.
    """
    plan = counters.lock_plans([key]).get(key)
    if plan is None:
        message = _('%(asset)s with key "%(key)s" not found') % {"asset": PLAN, "key": key}
        raise refuse(Code.NOT_FOUND, message, asset=PLAN)
    refuse_if(check_cancel(plan, actor))
    now = timezone.now()
    counters.cancel_tasks(plan, now)
    plan.cancelation_date = now
    plan.save(update_fields=["cancelation_date"])
    record_plan(actor, Event.Action.CANCELED, plan, now)
    save_progress(plan, actor, now)
    return plan
