"""Filters of datasets and data samples. Contract 2.3, 2.4, 2.14."""

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ..common.api.filters import AssetFilterSet, KeysFilter, MatchFilter, TextsFilter, search_filter
from ..common.db.aggregates import related_rows
from ..permissions.filters import (
    AllowedFilter,
    AssetListFilterSet,
    MetadataEntryFilter,
    UsableFilter,
    hidden_keys,
)
from ..permissions.queries import allowing_all, allowing_any


class UsedByTasksFilter(KeysFilter):
    """Keeps assets that are an input of some task whose `task_field` is one of the keys."""

    def __init__(self, input_field: str, task_field: str, **kwargs) -> None:
        self.input_field = input_field
        super().__init__(field_name=task_field, **kwargs)

    def narrow(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        inputs = related_rows(queryset.model, "task_inputs")
        used = super().narrow(inputs.filter(**{f"{self.input_field}__isnull": False}), value)
        return queryset.filter(pk__in=used.values(self.input_field))


class DatasetFilterSet(AssetFilterSet):
    name = TextsFilter(field_name="name")
    data_sample_key = KeysFilter(field_name="links__data_sample_id")
    match = MatchFilter("key", "name")
    can_process = AllowedFilter(allowing_all, "permissions")
    can_access_logs = AllowedFilter(allowing_all, "logs_permission")
    permissions = AllowedFilter(allowing_any, "permissions")
    compute_plan_key = UsedByTasksFilter("dataset", "task__compute_plan_id")
    function_key = UsedByTasksFilter("dataset", "task__function_id")


class DataSampleFilterSet(AssetFilterSet):
    dataset_key = KeysFilter(field_name="links__dataset_id")
    compute_plan_key = UsedByTasksFilter("data_sample", "task__compute_plan_id")
    function_key = UsedByTasksFilter("data_sample", "task__function_id")


class DatasetListFilterSet(AssetListFilterSet):
    q = search_filter("key", "name", "type", placeholder=_("Name, key or type"))
    data_sample_key = hidden_keys(field_name="links__data_sample_id", label=_("Data sample"))
    usable = UsableFilter()
    metadata = MetadataEntryFilter()


class DataSampleListFilterSet(AssetListFilterSet):
    q = search_filter("key", placeholder=_("Key"))
    dataset_key = hidden_keys(field_name="links__dataset_id", label=_("Dataset"))
