"""Which tasks an organisation's runners may run, and which wait for its approval.

The tasks of an organisation are those that run on its data: whose worker it is.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet

from ...common.db.compiled import Compiled
from ...compute.models import Task
from ...compute.statuses import PlanStatus, TaskStatus
from ...functions.models import Function
from ..models import Approval, RunPolicy

Policy = RunPolicy.Policy
# Tasks that can still be approved or declined; one that runs already runs on.
UNDECIDED = (
    TaskStatus.WAITING_FOR_BUILDER_SLOT,
    TaskStatus.BUILDING,
    TaskStatus.WAITING_FOR_PARENT_TASKS,
    TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
)
# What a decision is about, by the policy that asks for it.
_ABOUT = {Policy.PLANS: "compute_plan", Policy.FUNCTIONS: "function"}
# Plans of which runners run tasks.
RUNNING = (PlanStatus.CREATED, PlanStatus.DOING)


def policy_of(organization_id: str | None) -> Policy:
    """Return what an organisation's runners may run; one query."""
    return dict(restrictions()).get(organization_id or "", Policy.ALL)


def restrictions() -> list[tuple[str, Policy]]:
    """Return each organisation that asks for approvals, with its policy; one query."""
    return [(organization, Policy(policy)) for organization, policy in _restrictions()]


@Compiled
def _restrictions(_values: Collection[Any]) -> QuerySet:
    return RunPolicy.objects.exclude(policy=Policy.ALL).values_list("pk", "policy")


def may_run(tasks: QuerySet[Task], organization_id: str) -> QuerySet[Task]:
    """Filter the tasks of an organisation that its runners may run; one query."""
    policy = policy_of(organization_id)
    return tasks if policy == Policy.ALL else tasks.filter(is_approved(policy, organization_id))


def function_is_approved(function: Function, organization_id: str) -> bool:
    """Return whether an organisation has approved a function's code; one query."""
    approvals = Approval.objects.filter(organization=organization_id, approved=True)
    return approvals.filter(compute_plan=None, digest=function.archive_checksum).exists()


def is_approved(policy: Policy, organization: Any) -> Exists:
    """Return the condition of tasks that the organisation has approved, as its policy asks."""
    approvals = Approval.objects.filter(organization=organization, approved=True)
    if policy == Policy.FUNCTIONS:
        code = OuterRef("function__archive_checksum")
        return Exists(approvals.filter(compute_plan=None, digest=code))
    plan = OuterRef("compute_plan_id")
    # Tasks that were added since wait for another decision.
    seen = approvals.filter(function=None, tasks_until__gte=OuterRef("creation_date"))
    return Exists(seen.filter(compute_plan=plan))


def awaiting_approval(organization_id: str, policy: Policy) -> QuerySet[Task]:
    """Return the tasks of an organisation that wait for its approval, whatever else they wait for.

    Its policy must restrict what its runners run.
    """
    tasks = Task.objects.filter(
        worker=organization_id, status__in=UNDECIDED, compute_plan__status__in=RUNNING
    )
    return tasks.filter(~is_approved(policy, organization_id))


def without_approval(tasks: QuerySet[Task]) -> QuerySet[Task]:
    """Filter the tasks that wait for the approval of their workers; one query for the policies."""
    waiting = [
        Q(worker=worker) & ~Q(is_approved(policy, worker)) for worker, policy in restrictions()
    ]
    if not waiting:
        return tasks.none()
    undecided = tasks.filter(status__in=UNDECIDED, compute_plan__status__in=RUNNING)
    return undecided.filter(reduce(or_, waiting))


def keys_without_approval(keys: Collection[UUID]) -> set[UUID]:
    """Return the keys of those of the tasks that wait for the approval of their workers.

    One query, or two if an organisation asks for approvals.
    """
    tasks = without_approval(Task.objects.filter(key__any=keys))
    return set(tasks.values_list("key", flat=True))


def restriction_of(organization_id: str | None) -> Policy | None:
    """Return the policy of an organisation if it asks for approvals, otherwise None; one query."""
    policy = policy_of(organization_id)
    return None if policy == Policy.ALL else policy


def review_page_of(policy: Policy) -> str:
    """Return the URL name of the page on which one decides what the policy asks for."""
    return f"{_ABOUT[policy].replace('_', '-')}-approval"


def count_awaiting(organization_id: str, policy: Policy) -> int:
    """Return how many plans or functions wait for the organisation's approval; one query."""
    waiting = awaiting_approval(organization_id, policy).order_by()
    return waiting.values(_ABOUT[policy]).distinct().count()


def list_awaiting(organization_id: str, policy: Policy) -> QuerySet[Any, Any]:
    """Return the plans or functions that wait for approval, the oldest first.

    Each is a mapping: `asset`, `asset_name`, `asset_owner`, `tasks` (how many wait) and `since`.
    """
    about = _ABOUT[policy]
    rows = (
        awaiting_approval(organization_id, policy)
        .order_by()
        .values(
            asset=F(f"{about}_id"),
            asset_name=F(f"{about}__name"),
            asset_owner=F(f"{about}__owner_id"),
        )
    )
    counted = rows.annotate(tasks=Count("pk"), since=Min("creation_date"))
    return counted.order_by("since", "asset")


def approvals_of(organization_id: str) -> QuerySet[Approval]:
    """Return an organisation's decisions, the latest first."""
    approvals = Approval.objects.filter(organization=organization_id)
    named = approvals.select_related("compute_plan", "function", "decided_by")
    return named.order_by("-decided_at", "-pk")


class Standing(NamedTuple):
    """How many tasks a decision is about, of which `undecided` do not run yet, and some wait."""

    tasks: int
    undecided: int
    awaiting: int


def standing_of(tasks: QuerySet[Task], organization_id: str, policy: Policy | None) -> Standing:
    """Return what became of these tasks of an organisation so far; one query."""
    undecided = Q(status__in=UNDECIDED, compute_plan__status__in=RUNNING)
    waits = undecided & ~Q(is_approved(policy, organization_id)) if policy else Q(pk__in=[])
    counts = tasks.order_by().aggregate(
        tasks=Count("pk"),
        undecided=Count("pk", filter=undecided),
        awaiting=Count("pk", filter=waits),
    )
    return Standing(**counts)


class Seen(NamedTuple):
    """A plan's tasks on an organisation's data: what is decided about.

    Registered tasks never change, so a later digest differs only if tasks were added.
    """

    tasks: int
    digest: str
    # When the latest of them was registered.
    until: datetime | None


def tasks_on_data_of(organization_id: str, plan_key: UUID) -> Seen:
    """Return a plan's tasks on an organisation's data, whatever their status; one query."""
    tasks = Task.objects.filter(compute_plan_id=plan_key, worker=organization_id)
    rows = list(tasks.order_by("key").values_list("key", "digest", "creation_date"))
    digest = hashlib.sha256("".join(f"{key}{of}" for key, of, _ in rows).encode()).hexdigest()
    return Seen(len(rows), digest, max((created for *_, created in rows), default=None))
