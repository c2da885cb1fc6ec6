"""Filters of the API: compute plans, tasks, models and performances. Contract 2.6 to 2.9, 2.14."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet
from django_filters import RangeFilter
from django_filters.rest_framework import FilterSet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

from ...common.api.filters import (
    AssetFilterSet,
    KeysFilter,
    MatchFilter,
    MetadataFilter,
    MomentRangeFilter,
    NarrowingMixin,
    TextsFilter,
)
from ...permissions.filters import AllowedFilter
from ...permissions.queries import allowing_any
from ..filters import IntegersFilter, PlansWithTaskFilter
from ..models import ComputePlan, Task
from ..queries.lists import with_duration, with_visible_creator
from .dialects import dialect_of

PLAN = "output__task__compute_plan__"


class StatusFilter(TextsFilter):
    """Statuses as the request's dialect spells them; an unknown one is refused."""

    def __init__(self, condition: str, **kwargs) -> None:
        self.condition = condition
        super().__init__(**kwargs)

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        condition_of = getattr(dialect_of(self.parent.request), self.condition)
        found = Q()
        for word in value or ():
            condition = condition_of(word)
            if condition is None:
                choice = f"Select a valid choice. {word} is not one of the available choices."
                raise ValidationError({"status": [choice]})
            found |= condition
        return queryset.filter(found)


@extend_schema_field(OpenApiTypes.DOUBLE)
class DurationFilter(NarrowingMixin, RangeFilter):
    """`duration_min` and `duration_max` in seconds."""

    def narrow(self, queryset: QuerySet, value: slice) -> QuerySet:
        queryset = with_duration(queryset)
        if value.start is not None:
            queryset = queryset.filter(elapsed__gte=_duration(value.start))
        if value.stop is not None:
            queryset = queryset.filter(elapsed__lte=_duration(value.stop))
        return queryset


def _duration(seconds: Decimal) -> timedelta:
    """Return the duration, at most 30,000 years, which both databases can compare."""
    return timedelta(seconds=max(-1e12, min(float(seconds), 1e12)))


class TaggedFilterSet(AssetFilterSet):
    """Filters that plans and tasks share."""

    tag = TextsFilter(field_name="tag")
    start_date = MomentRangeFilter(field_name="start_date")
    end_date = MomentRangeFilter(field_name="end_date")
    duration = DurationFilter()
    metadata = MetadataFilter(field_name="metadata")


class CreatorFilter(TextsFilter):
    """Keeps plans of these users, whose names only their own organisation sees."""

    def __init__(self, **kwargs) -> None:
        super().__init__(field_name="visible_creator", **kwargs)

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        own = self.parent.request.user.organization_id
        return super().filter(with_visible_creator(queryset, own), value) if value else queryset


class ComputePlanFilterSet(TaggedFilterSet):
    name = TextsFilter(field_name="name")
    status = StatusFilter("plan_condition")
    creator = CreatorFilter()
    match = MatchFilter("key", "name")
    function_key = PlansWithTaskFilter(field_name="function_id")
    dataset_key = PlansWithTaskFilter(field_name="inputs__dataset_id")
    data_sample_key = PlansWithTaskFilter(field_name="inputs__sample_set__members__data_sample_id")
    worker = TextsFilter(method="with_worker")

    def with_worker(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        tasks = Task.objects.filter(worker_id__in=value)
        return queryset.filter(pk__in=tasks.values("compute_plan_id"))


class TaskFilterSet(TaggedFilterSet):
    worker = TextsFilter(field_name="worker_id")
    rank = IntegersFilter(field_name="rank")
    status = StatusFilter("task_condition")
    compute_plan_key = KeysFilter(field_name="compute_plan_id")
    function_key = KeysFilter(field_name="function_id")
    match = MatchFilter("key")


class ModelFilterSet(AssetFilterSet):
    compute_task_key = KeysFilter(field_name="task_id")
    permissions = AllowedFilter(allowing_any, "permissions")


class PlanStatusFilter(StatusFilter):
    """The status of the performance's plan."""

    def filter(self, queryset, value):
        if not value:
            return queryset
        plans = super().filter(ComputePlan.objects.all(), value)
        return queryset.filter(output__task__compute_plan__in=plans)


class PerformanceFilterSet(FilterSet):
    """Filters by the plan of a performance, and by the output's identifier."""

    key = KeysFilter(field_name=f"{PLAN}key")
    owner = TextsFilter(field_name=f"{PLAN}owner_id")
    identifier = TextsFilter(field_name="output__identifier")
    status = PlanStatusFilter("plan_condition")
    creation_date = MomentRangeFilter(field_name=f"{PLAN}creation_date")
    start_date = MomentRangeFilter(field_name=f"{PLAN}start_date")
    end_date = MomentRangeFilter(field_name=f"{PLAN}end_date")
    match = MatchFilter(f"{PLAN}key", f"{PLAN}name")
    metadata = MetadataFilter(field_name=f"{PLAN}metadata")
