"""Annotations of lists of plans and tasks, and the number of tasks."""

from collections.abc import Collection
from typing import Any

from django.db.models import Case, DurationField, ExpressionWrapper, F, QuerySet, Value, When
from django.db.models.functions import Coalesce, Now

from ...accounts.rules import DELETED, EXTERNAL
from ...common.db.compiled import Compiled
from ..models import ComputePlan


def with_duration(queryset: QuerySet) -> QuerySet:
    """Return plans or tasks with `elapsed`: how long they have run, as a timedelta or None."""
    end = Coalesce(F("end_date"), Now())
    elapsed = ExpressionWrapper(end - F("start_date"), output_field=DurationField())
    return queryset.annotate(elapsed=elapsed)


def creator_of(plan: ComputePlan, organization_id: str | None) -> str:
    """Return the creator of a plan that an organisation sees. Contract 2.6."""
    username = plan.creator.username if plan.creator else None
    return visible_creator(username, plan.owner_id, organization_id)


def visible_creator(username: str | None, owner_id: str, organization_id: str | None) -> str:
    """Return the user name that an organisation sees: only that of its own users."""
    if owner_id != organization_id:
        return EXTERNAL
    return username or DELETED


def with_visible_creator(queryset: QuerySet, organization_id: str | None) -> QuerySet:
    """Return plans with `visible_creator`, so that filters and sorting reveal no other name."""
    own = When(owner=organization_id, then=Coalesce("creator__username", Value(DELETED)))
    return queryset.annotate(visible_creator=Case(own, default=Value(EXTERNAL)))


def count_of_all() -> int:
    """Return the number of all tasks, from the counters of plans, which are fewer rows."""
    total = "SELECT COALESCE(SUM(task_count), 0) FROM ({}) plans"
    [(count,)] = _task_counts.run_within(total)
    return int(count)


@Compiled
def _task_counts(_values: Collection[Any]) -> QuerySet:
    return ComputePlan.objects.order_by().values_list("task_count")
