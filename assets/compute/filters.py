"""Filters that the API and the pages share."""

from django.db.models import QuerySet

from ..common.api.filters import KeysFilter, TextsFilter
from .models import Task


class PlansWithTaskFilter(KeysFilter):
    """Keeps plans that have a task with one of the keys."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        tasks = super().filter(Task.objects.all(), value)
        return queryset.filter(pk__in=tasks.order_by().values("compute_plan_id"))


class IntegersFilter(TextsFilter):
    """A comma-separated list of whole numbers; other texts match nothing."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        numbers = [int(item) for item in value if item.isdecimal() and len(item) < 10]
        return queryset.filter(**{f"{self.field_name}__in": numbers})
