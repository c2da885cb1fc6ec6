"""The status names, counters and filters of older SDKs, mapped in answers and in requests.

One view, serializer and rule serves all SDKs. The database stores the names of SDK 0.51 and later;
a `Dialect` maps them to those of SDK 0.50, and of SDKs up to 0.49. Contract 0.2, 3.7, decision 2.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q

from ..statuses import PlanStatus, TaskStatus

_TASK_STATUSES_049: dict[str, str] = {
    TaskStatus.WAITING_FOR_BUILDER_SLOT: "STATUS_WAITING",
    TaskStatus.BUILDING: "STATUS_WAITING",
    TaskStatus.WAITING_FOR_PARENT_TASKS: "STATUS_WAITING",
    TaskStatus.WAITING_FOR_EXECUTOR_SLOT: "STATUS_TODO",
    TaskStatus.EXECUTING: "STATUS_DOING",
}
_TASK_STATUSES_050: dict[str, str] = {TaskStatus.EXECUTING: "STATUS_DOING"}

_EMPTY, _WAITING, _TODO = "PLAN_STATUS_EMPTY", "PLAN_STATUS_WAITING", "PLAN_STATUS_TODO"
_OPEN = Q(status__in=[PlanStatus.CREATED, PlanStatus.DOING], task_count__gt=0)
_WAITING_COUNT = (
    F("waiting_builder_slot_count") + F("building_count") + F("waiting_parent_tasks_count")
)
_RUNS = Q(executing_count__gt=0) | Q(done_count__gt=0)
_ALL_WAIT = Q(task_count=_WAITING_COUNT)

# SDKs up to 0.50 have three statuses for plans in which no task runs yet.
_PLAN_CONDITIONS_050 = {
    _EMPTY: Q(status=PlanStatus.CREATED, task_count=0),
    _WAITING: _OPEN & _ALL_WAIT,
    _TODO: _OPEN & ~_ALL_WAIT & ~_RUNS,
    PlanStatus.DOING: _OPEN & _RUNS,
}


def _waiting(plan: Mapping[str, Any]) -> int:
    return (
        plan["waiting_builder_slot_count"]
        + plan["building_count"]
        + plan["waiting_parent_tasks_count"]
    )


@dataclass(frozen=True)
class Dialect:
    """The statuses of one generation of SDKs; the default is 0.51 and later."""

    task_statuses: Mapping[str, str] = field(default_factory=dict)
    plan_conditions: Mapping[str, Q] = field(default_factory=dict)

    def task_status(self, status: str) -> str:
        """Return the SDK's name of a task's status."""
        return self.task_statuses.get(status, status)

    def plan_status(self, plan: Mapping[str, Any]) -> str:
        """Return the SDK's name of a plan's status, given the plan with its counters."""
        status = plan["status"]
        if not self.plan_conditions or status not in (PlanStatus.CREATED, PlanStatus.DOING):
            return status
        if plan["task_count"] == 0:
            return _EMPTY
        if plan["executing_count"] or plan["done_count"]:
            return PlanStatus.DOING
        return _WAITING if _waiting(plan) == plan["task_count"] else _TODO

    def counters(self, plan: Mapping[str, Any]) -> dict[str, int]:
        """Return the counters that older SDKs name otherwise; every SDK ignores extra ones."""
        return {
            "waiting_count": _waiting(plan),
            "todo_count": plan["waiting_executor_slot_count"],
            "doing_count": plan["executing_count"],
        }

    def task_condition(self, word: str) -> Q | None:
        """Return the condition of tasks with this status; None for an unknown status."""
        statuses = [status for status in TaskStatus if self.task_status(status) == word]
        return Q(status__in=statuses) if statuses else None

    def plan_condition(self, word: str) -> Q | None:
        """Return the condition of plans with this status; None for an unknown status."""
        if word in self.plan_conditions:
            return self.plan_conditions[word]
        known = set(PlanStatus.values) - ({PlanStatus.CREATED} if self.plan_conditions else set())
        return Q(status=word) if word in known else None


CURRENT = Dialect()
DIALECTS: dict[str, Dialect] = {
    "api": CURRENT,
    "api-0.49": Dialect(_TASK_STATUSES_049, _PLAN_CONDITIONS_050),
    "api-0.50": Dialect(_TASK_STATUSES_050, _PLAN_CONDITIONS_050),
}


def dialect_of(request: Any) -> Dialect:
    """Return the dialect of the request's URL prefix."""
    return DIALECTS.get(request.resolver_match.namespace, CURRENT)
