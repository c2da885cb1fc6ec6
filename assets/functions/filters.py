"""Filters of functions. Contract 2.5, 2.14."""

from django.db.models import QuerySet

from ..common.filters import AssetFilterSet, KeysFilter, MatchFilter, TextsFilter
from ..permissions.filters import AllowedFilter
from ..permissions.queries import allowing_all, allowing_any
from .models import Function


class UsedFilter(KeysFilter):
    """Keeps functions that some task runs, where the task's field is one of the keys."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        used = super().filter(Function.objects.all(), value)
        return queryset.filter(pk__in=used.order_by().values("pk"))


class FunctionFilterSet(AssetFilterSet):
    name = TextsFilter(field_name="name")
    status = TextsFilter(field_name="status")
    compute_plan_key = UsedFilter(field_name="tasks__compute_plan_id")
    dataset_key = UsedFilter(field_name="tasks__inputs__dataset_id")
    data_sample_key = UsedFilter(field_name="tasks__inputs__data_sample_id")
    match = MatchFilter("key", "name")
    can_process = AllowedFilter(allowing_all, "permissions")
    permissions = AllowedFilter(allowing_any, "permissions")

    class Meta:
        model = Function
        fields: list[str] = []
