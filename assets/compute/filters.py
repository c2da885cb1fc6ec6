"""Filters of compute plans and tasks. Contract 2.6, 2.7, 2.14."""

from datetime import timedelta
from decimal import Decimal

from django.db.models import Q, QuerySet
from django_filters import IsoDateTimeFromToRangeFilter, RangeFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

from ..common.filters import (
    AssetFilterSet,
    KeysFilter,
    MatchFilter,
    MetadataFilter,
    TextsFilter,
)
from .dialects import dialect_of
from .models import ComputePlan, Task
from .queries import with_duration


class StatusFilter(TextsFilter):
    """Statuses in the words of the request's dialect; an unknown word is refused."""

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
class DurationFilter(RangeFilter):
    """`duration_min` and `duration_max` in seconds."""

    def filter(self, queryset: QuerySet, value: slice | None) -> QuerySet:
        if not value:
            return queryset
        queryset = with_duration(queryset)
        if value.start is not None:
            queryset = queryset.filter(elapsed__gte=_duration(value.start))
        if value.stop is not None:
            queryset = queryset.filter(elapsed__lte=_duration(value.stop))
        return queryset


def _duration(seconds: Decimal) -> timedelta:
    """Return the duration, within what both databases can compare: 30,000 years."""
    return timedelta(seconds=max(-1e12, min(float(seconds), 1e12)))


class TaggedFilterSet(AssetFilterSet):
    """Filters that plans and tasks share."""

    tag = TextsFilter(field_name="tag")
    start_date = IsoDateTimeFromToRangeFilter(field_name="start_date")
    end_date = IsoDateTimeFromToRangeFilter(field_name="end_date")
    duration = DurationFilter()
    metadata = MetadataFilter(field_name="metadata")


class PlansWithTaskFilter(KeysFilter):
    """Keeps plans some task of which meets the condition."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        tasks = super().filter(Task.objects.all(), value)
        return queryset.filter(pk__in=tasks.order_by().values("compute_plan_id"))


class ComputePlanFilterSet(TaggedFilterSet):
    name = TextsFilter(field_name="name")
    status = StatusFilter("plan_condition")
    creator = TextsFilter(field_name="creator__username")
    match = MatchFilter("key", "name")
    function_key = PlansWithTaskFilter(field_name="function_id")
    dataset_key = PlansWithTaskFilter(field_name="inputs__dataset_id")
    data_sample_key = PlansWithTaskFilter(field_name="inputs__data_sample_id")
    worker = TextsFilter(method="with_worker")

    def with_worker(self, queryset: QuerySet, name: str, value: list[str]) -> QuerySet:
        tasks = Task.objects.filter(worker_id__in=value)
        return queryset.filter(pk__in=tasks.values("compute_plan_id"))

    class Meta:
        model = ComputePlan
        fields: list[str] = []


class IntegersFilter(TextsFilter):
    """A comma-separated list of whole numbers; what is none matches nothing."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        numbers = [int(item) for item in value if item.isdecimal() and len(item) < 10]
        return queryset.filter(**{f"{self.field_name}__in": numbers})


class TaskFilterSet(TaggedFilterSet):
    worker = TextsFilter(field_name="worker_id")
    rank = IntegersFilter(field_name="rank")
    status = StatusFilter("task_condition")
    compute_plan_key = KeysFilter(field_name="compute_plan_id")
    function_key = KeysFilter(field_name="function_id")
    match = MatchFilter("key")

    class Meta:
        model = Task
        fields: list[str] = []
