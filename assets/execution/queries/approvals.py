"""Which tasks an organisation's runners may run, and which wait for its approval.

The tasks of an organisation are those that run on its data: whose worker it is.
"""

import hashlib
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from ...compute.models import Task
from ...compute.statuses import PlanStatus, TaskStatus
from ..models import Approval, RunPolicy

Policy = RunPolicy.Policy
# Tasks that can still be approved or declined; one that runs already runs on.
UNDECIDED = (
    TaskStatus.WAITING_FOR_BUILDER_SLOT,
    TaskStatus.BUILDING,
    TaskStatus.WAITING_FOR_PARENT_TASKS,
    TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
)
# Plans of which runners run tasks.
RUNNING = (PlanStatus.CREATED, PlanStatus.DOING)


def policy_of(organization_id: str | None) -> Policy:
    """Return what an organisation's runners may run; one query."""
    found = RunPolicy.objects.filter(pk=organization_id).values_list("policy", flat=True).first()
    return Policy(found or Policy.ALL)


def may_run(tasks: QuerySet[Task], organization_id: str) -> QuerySet[Task]:
    """Filter the tasks of an organisation that its runners may run; one query."""
    policy = policy_of(organization_id)
    return tasks if policy == Policy.ALL else tasks.filter(is_approved(policy, organization_id))


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


def waits_for_approval() -> Q:
    """Return the condition of tasks that wait for the approval of their workers."""
    worker = OuterRef("worker_id")
    policies = RunPolicy.objects.filter(organization=worker)
    restricted = (Policy.FUNCTIONS, Policy.PLANS)
    waits = Q(status__in=UNDECIDED, compute_plan__status__in=RUNNING)
    missing = Q()
    for policy in restricted:
        missing |= Q(Exists(policies.filter(policy=policy))) & ~Q(is_approved(policy, worker))
    return waits & missing


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
