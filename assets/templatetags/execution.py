"""Template tags about approvals, for pages of rooms below the room that runs things."""

from typing import Any

from django import template

from ..accounts.rules import may_manage_runners
from ..compute.models import ComputePlan, Task
from ..compute.statuses import PlanStatus, TaskStatus
from ..execution.queries.approvals import (
    RUNNING,
    UNDECIDED,
    count_awaiting,
    restriction_of,
    without_approval,
)
from ..feed.queries import reasons_of

register = template.Library()


@register.filter
def may_decide_runs(user: Any) -> bool:
    """Return whether the user decides what the runners of its organisation run."""
    return may_manage_runners(user, user.organization_id)


@register.simple_tag(takes_context=True)
def approvals_waiting(context: template.Context) -> int:
    """Return how many approvals the user's organisation is asked for.

    One or two queries for each page, which shows the number twice.
    """
    request: Any = context["request"]
    if not hasattr(request, "approvals_waiting"):
        own = request.user.organization_id
        policy = restriction_of(own)
        request.approvals_waiting = count_awaiting(own, policy) if policy else 0
    return request.approvals_waiting


@register.simple_tag
def waits_for_approval_of(asset: ComputePlan | Task) -> list[str]:
    """Return the organisations whose approval a task, or tasks of a plan, wait for."""
    if isinstance(asset, Task):
        tasks = Task.objects.filter(pk=asset.pk)
        can_wait = asset.status in UNDECIDED and asset.compute_plan.status in RUNNING
    else:
        tasks, can_wait = Task.objects.filter(compute_plan=asset), asset.status in RUNNING
    if not can_wait:
        return []
    workers = without_approval(tasks).order_by("worker_id")
    return list(workers.values_list("worker_id", flat=True).distinct())


@register.simple_tag
def declined(asset: ComputePlan | Task) -> list[tuple[str, str]]:
    """Return which organisations declined a cancelled plan or task, each with its reason."""
    return reasons_of(asset) if asset.status in (PlanStatus.CANCELED, TaskStatus.CANCELED) else []
