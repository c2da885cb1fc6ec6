"""Filters that the API and the pages share."""

from django.db.models import QuerySet

from ..common.api.filters import KeysFilter, NarrowingMixin, TextsFilter
from .models import Task


class PlansWithTaskFilter(KeysFilter):
    """Keeps plans that have a task with one of the keys."""

    def narrow(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        tasks = super().narrow(Task.objects.all(), value)
        return queryset.filter(pk__in=tasks.order_by().values("compute_plan_id"))


class IntegersFilter(NarrowingMixin, TextsFilter):
    """A comma-separated list of whole numbers; other texts match nothing."""

    def narrow(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        numbers = [int(item) for item in value if item.isdecimal() and len(item) < 10]
        return queryset.filter(**{f"{self.field_name}__in": numbers})
