"""Filters of datasets and data samples. Contract 2.3, 2.4, 2.14."""

from typing import ClassVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter

from ..common.api.filters import (
    AssetFilterSet,
    KeysFilter,
    MatchFilter,
    NarrowingMixin,
    TextsFilter,
    search_filter,
)
from ..common.db.aggregates import related_rows
from ..permissions.filters import (
    AllowedFilter,
    AssetListFilterSet,
    MetadataEntryFilter,
    UsableFilter,
    hidden_keys,
)
from ..permissions.queries import allowing_all, allowing_any
from .models import DataSampleCheck, Dataset, SampleSet, SampleSetMember

State = DataSampleCheck.State


class UsedByTasksFilter(KeysFilter):
    """Keeps datasets that are an input of some task whose `field_name` is one of the keys."""

    # What inputs refer to.
    source: type[Model] = Dataset
    source_field = "dataset"

    def narrow(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        return queryset.filter(pk__in=self.used(value))

    def used(self, value: list[str]) -> QuerySet:
        """Return the keys of what is used, for a subquery."""
        inputs = related_rows(self.source, "task_inputs")
        found = super().narrow(inputs.filter(**{f"{self.source_field}__isnull": False}), value)
        return found.order_by().values(self.source_field)


class SamplesUsedByTasksFilter(UsedByTasksFilter):
    """Keeps data samples that are an input of such a task."""

    source, source_field = SampleSet, "sample_set"

    def used(self, value: list[str]) -> QuerySet:
        members = SampleSetMember.objects.filter(sample_set__in=super().used(value))
        return members.values("data_sample")


class DatasetFilterSet(AssetFilterSet):
    name = TextsFilter(field_name="name")
    data_sample_key = KeysFilter(field_name="links__data_sample_id")
    match = MatchFilter("key", "name")
    can_process = AllowedFilter(allowing_all, "permissions")
    can_access_logs = AllowedFilter(allowing_all, "logs_permission")
    permissions = AllowedFilter(allowing_any, "permissions")
    compute_plan_key = UsedByTasksFilter(field_name="task__compute_plan_id")
    function_key = UsedByTasksFilter(field_name="task__function_id")


class DataSampleFilterSet(AssetFilterSet):
    dataset_key = KeysFilter(field_name="links__dataset_id")
    compute_plan_key = SamplesUsedByTasksFilter(field_name="task__compute_plan_id")
    function_key = SamplesUsedByTasksFilter(field_name="task__function_id")


class DatasetListFilterSet(AssetListFilterSet):
    q = search_filter("key", "name", "type", placeholder=_("Name, key or type"))
    data_sample_key = hidden_keys(field_name="links__data_sample_id", label=_("Data sample"))
    usable = UsableFilter()
    metadata = MetadataEntryFilter()


class LookFilter(NarrowingMixin, ChoiceFilter):
    """Filters data samples that stay at runners, by what the last look found."""

    states: ClassVar[dict[str, Q]] = {
        State.WAITING: Q(found__checked_at=None),
        State.FOUND: Q(found__checked_at__isnull=False, found__problem=""),
        State.PROBLEM: Q(found__checked_at__isnull=False, found__checksum=""),
    }

    def __init__(self) -> None:
        super().__init__(choices=State.choices, label=_("At runners"), empty_label=_("any"))

    def narrow(self, queryset: QuerySet, value: str) -> QuerySet:
        return queryset.filter(self.states[value], at_runner=True)


class DataSampleListFilterSet(AssetListFilterSet):
    q = search_filter("key", placeholder=_("Key"))
    look = LookFilter()
    dataset_key = hidden_keys(field_name="links__dataset_id", label=_("Dataset"))
