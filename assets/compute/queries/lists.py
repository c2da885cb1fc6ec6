"""What lists of plans and tasks are annotated with, and how many tasks there are."""

from django.db.models import Case, DurationField, ExpressionWrapper, F, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Now

from ...accounts.rules import DELETED, EXTERNAL
from ..models import ComputePlan


def with_duration(queryset: QuerySet) -> QuerySet:
    """Annotate plans or tasks with `elapsed`, how long they have run: a timedelta, or None."""
    end = Coalesce(F("end_date"), Now())
    elapsed = ExpressionWrapper(end - F("start_date"), output_field=DurationField())
    return queryset.annotate(elapsed=elapsed)


def creator_of(plan: ComputePlan, organization_id: str | None) -> str:
    """Return who made a plan, as far as an organisation is told. Contract 2.6."""
    username = plan.creator.username if plan.creator else None
    return visible_creator(username, plan.owner_id, organization_id)


def visible_creator(username: str | None, owner_id: str, organization_id: str | None) -> str:
    """Return what an organisation is told of the user who made an owner's plan."""
    if owner_id != organization_id:
        return EXTERNAL
    return username or DELETED


def with_visible_creator(queryset: QuerySet, organization_id: str | None) -> QuerySet:
    """Annotate plans with `visible_creator`: filters and orders know no more than is told."""
    own = When(owner=organization_id, then=Coalesce("creator__username", Value(DELETED)))
    return queryset.annotate(visible_creator=Case(own, default=Value(EXTERNAL)))


def count_of_all() -> int:
    """Return how many tasks there are. Plans know how many they have: fewer rows to read."""
    return ComputePlan.objects.aggregate(count=Sum("task_count"))["count"] or 0
