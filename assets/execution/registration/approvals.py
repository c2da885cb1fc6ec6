"""Decides what an organisation's runners run: its policy, and its approvals."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from ...accounts.models import User
from ...accounts.rules import may_manage_runners
from ...common.audit import Action, log_event
from ...common.errors import Code, Problem, Refused, not_found, refuse, refuse_if
from ...common.kinds import AssetKind
from ...compute.models import ComputePlan, Task
from ...compute.registration.counters import lock_plans
from ...compute.registration.progress import move_tasks
from ...compute.specs import PLAN
from ...compute.statuses import TaskStatus
from ...feed.registration import record
from ...functions.models import Function
from ..models import Approval, RunPolicy
from ..queries.approvals import UNDECIDED, Policy, Seen, policy_of, tasks_on_data_of
from ..rules import check_reason

# What events store of a policy, in English; `accounts.registration.events` has the messages.
_CHANGES = {
    Policy.ALL: "runners run everything that is permitted",
    Policy.FUNCTIONS: "runners run approved functions only",
    Policy.PLANS: "runners run approved compute plans only",
}


@transaction.atomic
def set_policy(policy: Policy, actor: User) -> None:
    """Set what the runners of the actor's organisation may run; running tasks run on.

    Raises:
        Refused: the actor may not decide this.
    """
    refuse_if(check_may_decide(actor))
    organization = actor.acts_for
    if policy == policy_of(organization):
        return
    RunPolicy.objects.update_or_create(organization_id=organization, defaults={"policy": policy})
    log_event(
        Action.CHANGED,
        AssetKind.ORGANIZATION,
        name=organization,
        actor=actor,
        detail={"changed": _CHANGES[policy]},
    )


def check_may_decide(actor: User, policy: Policy | None = None) -> Iterator[Problem]:
    """Yield a problem if the actor may not decide what runners run.

    Args:
        policy: the one that asks for this decision; None: the decision is about the policy.
    """
    if not may_manage_runners(actor, actor.organization_id):
        message = _("only admins decide what runners run. Ask an admin of your organisation.")
        yield Problem(Code.FORBIDDEN, message)
    elif policy is not None and policy != policy_of(actor.organization_id):
        message = _(
            "your organisation does not ask for this approval. Change what your runners run first."
        )
        yield Problem(Code.BAD_REQUEST, message)


@transaction.atomic
def approve_plan(key: UUID, digest: str, actor: User) -> None:
    """Approve a plan's tasks on the data of the actor's organisation.

    Args:
        digest: of the tasks that the actor has seen.

    Raises:
        Refused: the actor may not, the plan has no such tasks, or others than those seen.
    """
    plan, seen = _locked_plan(key, actor)
    if seen.digest != digest:
        message = _("tasks were added since you opened this page. Review them, then decide again.")
        raise refuse(Code.CONFLICT, message)
    _save(Action.APPROVED, plan, actor, {"digest": digest, "tasks_until": seen.until}, seen.tasks)


@transaction.atomic
def approve_function(function: Function, actor: User) -> None:
    """Approve a function's code: tasks that run an archive with the same checksum may run.

    Raises:
        Refused: the actor may not.
    """
    refuse_if(check_may_decide(actor, Policy.FUNCTIONS))
    _save(Action.APPROVED, function, actor, {"digest": function.archive_checksum})


def check_decline(asset: ComputePlan | Function, reason: str, actor: User) -> Iterator[Problem]:
    """Yield the problems of declining a plan or a function."""
    policy = Policy.PLANS if isinstance(asset, ComputePlan) else Policy.FUNCTIONS
    yield from check_may_decide(actor, policy)
    yield from check_reason(reason)


@transaction.atomic
def decline_plan(key: UUID, reason: str, actor: User) -> None:
    """Decline a plan: cancel its tasks on the data of the actor's organisation that do not run.

    Raises:
        Refused: the actor may not, the reason breaks a rule, or no such task waits.
    """
    plan, seen = _locked_plan(key, actor)
    refuse_if(check_reason(reason))
    waiting = _keys(_undecided(actor, compute_plan=plan))
    if not waiting:
        message = _("no task of this plan waits on your data any more, so none can be cancelled.")
        raise refuse(Code.BAD_REQUEST, message)
    values = {"digest": seen.digest, "tasks_until": seen.until, "reason": reason}
    _save(Action.DECLINED, plan, actor, values, len(waiting))
    move_tasks(waiting, TaskStatus.CANCELED, actor, reason=reason)


@transaction.atomic
def decline_function(function: Function, reason: str, actor: User) -> None:
    """Decline a function's code: cancel the tasks that would run it on the organisation's data.

    Raises:
        Refused: the actor may not, or the reason breaks a rule.
    """
    refuse_if(check_decline(function, reason, actor))
    digest = function.archive_checksum
    undecided = _undecided(actor, function__archive_checksum=digest)
    plans = list(undecided.values_list("compute_plan_id", flat=True).distinct())
    # What is added to other plans from now on asks again.
    waiting = _keys(undecided.filter(compute_plan_id__any=list(lock_plans(plans))))
    _save(Action.DECLINED, function, actor, {"digest": digest, "reason": reason}, len(waiting))
    if waiting:
        move_tasks(waiting, TaskStatus.CANCELED, actor, reason=reason)


def _locked_plan(key: UUID, actor: User) -> tuple[ComputePlan, Seen]:
    """Return a plan, locked, and its tasks on the data of the actor's organisation.

    Raises:
        Refused: the actor may not decide, or the plan has no such tasks.
    """
    refuse_if(check_may_decide(actor, Policy.PLANS))
    plan = lock_plans([key]).get(key)
    seen = tasks_on_data_of(actor.acts_for, key)
    if plan is None or not seen.tasks:
        raise Refused([not_found(PLAN, key)])
    return plan, seen


def _undecided(actor: User, **about: Any) -> QuerySet[Task]:
    tasks = Task.objects.filter(worker=actor.acts_for, status__in=UNDECIDED, **about)
    return tasks.order_by()


def _keys(tasks: QuerySet[Task]) -> list[UUID]:
    return list(tasks.values_list("key", flat=True))


def _save(
    action: Action,
    asset: ComputePlan | Function,
    actor: User,
    values: dict[str, Any],
    tasks: int | None = None,
) -> None:
    """Write the decision that stands from now on, and log it.

    Args:
        values: of the row's columns; a decision without `reason` has none.
        tasks: how many the decision is about, for the event.
    """
    now, digest = timezone.now(), values["digest"]
    about: dict[str, Any] = {"compute_plan": asset, "function": None}
    if isinstance(asset, Function):
        # Functions with the same code share a decision.
        about = {"compute_plan": None, "digest": digest}
        values = {**values, "function": asset}
    same = {"organization_id": actor.acts_for, **about}
    approved = action == Action.APPROVED
    if approved and Approval.objects.filter(**{**same, "digest": digest}, approved=True).exists():
        return
    decision = {"reason": "", "approved": approved, "decided_by": actor, "decided_at": now}
    Approval.objects.update_or_create(**same, defaults={**decision, **values})
    detail = {"reason": values["reason"]} if "reason" in values else {}
    if tasks is not None:
        detail["tasks"] = tasks
    record(actor, action, asset.asset_kind, {asset.pk: asset.name}, when=now, detail=detail)
