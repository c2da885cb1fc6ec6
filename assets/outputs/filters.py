"""Filters of models, performances and task assets. Contract 2.7 to 2.9."""

from django_filters.rest_framework import FilterSet

from ..common.api.filters import (
    AssetFilterSet,
    KeysFilter,
    MatchFilter,
    MetadataFilter,
    MomentRangeFilter,
    TextsFilter,
)
from ..compute.filters import StatusFilter
from ..compute.models import ComputePlan
from ..permissions.filters import AllowedFilter
from ..permissions.queries import allowing_any
from .models import Model, Performance

PLAN = "output__task__compute_plan__"


class ModelFilterSet(AssetFilterSet):
    compute_task_key = KeysFilter(field_name="task_id")
    permissions = AllowedFilter(allowing_any, "permissions")

    class Meta:
        model = Model
        fields: list[str] = []


class PlanStatusFilter(StatusFilter):
    """The status of the performance's plan."""

    def filter(self, queryset, value):
        if not value:
            return queryset
        plans = super().filter(ComputePlan.objects.all(), value)
        return queryset.filter(output__task__compute_plan__in=plans)


class PerformanceFilterSet(FilterSet):
    """All filters are about the plan, but for the output's identifier."""

    key = KeysFilter(field_name=f"{PLAN}key")
    owner = TextsFilter(field_name=f"{PLAN}owner_id")
    identifier = TextsFilter(field_name="output__identifier")
    status = PlanStatusFilter("plan_condition")
    creation_date = MomentRangeFilter(field_name=f"{PLAN}creation_date")
    start_date = MomentRangeFilter(field_name=f"{PLAN}start_date")
    end_date = MomentRangeFilter(field_name=f"{PLAN}end_date")
    match = MatchFilter(f"{PLAN}key", f"{PLAN}name")
    metadata = MetadataFilter(field_name=f"{PLAN}metadata")

    class Meta:
        model = Performance
        fields: list[str] = []
