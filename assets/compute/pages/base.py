"""What pages of plans and tasks share: their kinds, durations and counts by status."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_lazy as _

from ...common.pages.bars import places
from ...common.pages.base import AssetKindMixin
from ...common.pages.markup import tag
from ...common.text.durations import units_of
from ..models import ComputePlan, Task
from ..statuses import PlanStatus, TaskStatus, estimated_end


class PlanPageMixin(AssetKindMixin):
    queryset = ComputePlan.objects.select_related("creator")
    noun, noun_plural = _("compute plan"), _("compute plans")
    empty_title = _("No compute plans yet")
    register_label = _("Register a compute plan")
    list_url, detail_url = "compute-plans", "compute-plan"
    register_url, rename_url = "compute-plan-new", "compute-plan-rename"


class TaskPageMixin(AssetKindMixin):
    queryset = Task.objects.select_related("function", "compute_plan")
    noun, noun_plural = _("task"), _("tasks")
    empty_title = _("No tasks yet")
    register_label = _("Register a task")
    list_url, detail_url = "tasks", "task"
    register_url = "task-new"


# The names of statuses in style sheets.
SLUGS = {status.value: status.name.lower().replace("_", "-") for status in TaskStatus}
# The order in which statuses are listed: final ones first.
ORDER = [
    status.value
    for status in (
        TaskStatus.DONE,
        TaskStatus.FAILED,
        TaskStatus.CANCELED,
        TaskStatus.EXECUTING,
        TaskStatus.BUILDING,
        TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
        TaskStatus.WAITING_FOR_PARENT_TASKS,
        TaskStatus.WAITING_FOR_BUILDER_SLOT,
    )
]


def status_tag(status: str, count: int | None = None) -> SafeString:
    """Return the badge of a task's status, with the number of tasks that have it."""
    label = TaskStatus(status).label
    return tag(label if count is None else f"{count:,} {label}", status)


def duration_text(start: datetime | None, end: datetime | None) -> str:
    """Return how long something took, or has taken so far; blank if it has not started."""
    if start is None:
        return ""
    return " ".join(units_of((end or timezone.now()) - start)[:2])


def remaining_text(plan: ComputePlan) -> str:
    """Return how long a plan will still take, without seconds; blank if that is not known."""
    if plan.status != PlanStatus.DOING:
        return ""
    now = timezone.now()
    end = estimated_end(
        plan.status, plan.start_date, plan.end_date, plan.done_count, plan.task_count, now
    )
    if end is None:
        return ""
    units = units_of(end - now)
    return " ".join(units[:-1][:2]) if len(units) > 1 else gettext("a minute")


class Share(NamedTuple):
    """The part of a plan's tasks that has one status, and its piece of the bar."""

    status: str
    label: str
    slug: str
    tasks: int
    x: int
    width: int


def shares(counts: Mapping[str, int]) -> list[Share]:
    """Return the statuses that some task has, final ones first."""
    present = [(status, counts[status]) for status in ORDER if counts.get(status)]
    return [
        Share(status, str(TaskStatus(status).label), SLUGS[status], count, x, width)
        for (status, count), (x, width) in zip(
            present, places([count for _status, count in present]), strict=True
        )
    ]
