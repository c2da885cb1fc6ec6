"""Filters of functions. Contract 2.5, 2.14."""

from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter

from ..common.api.filters import AssetFilterSet, KeysFilter, MatchFilter, TextsFilter, search_filter
from ..permissions.filters import (
    AllowedFilter,
    AssetListFilterSet,
    MetadataEntryFilter,
    UsableFilter,
)
from ..permissions.queries import allowing_all, allowing_any
from .models import FunctionStatus


class FunctionFilterSet(AssetFilterSet):
    name = TextsFilter(field_name="name")
    status = TextsFilter(field_name="status")
    compute_plan_key = KeysFilter(field_name="tasks__compute_plan_id")
    dataset_key = KeysFilter(field_name="tasks__inputs__dataset_id")
    data_sample_key = KeysFilter(field_name="tasks__inputs__sample_set__members__data_sample_id")
    match = MatchFilter("key", "name")
    can_process = AllowedFilter(allowing_all, "permissions")
    permissions = AllowedFilter(allowing_any, "permissions")


class FunctionListFilterSet(AssetListFilterSet):
    q = search_filter("key", "name", placeholder=_("Name or key"))
    status = ChoiceFilter(choices=FunctionStatus.choices, label=_("Status"), empty_label=_("any"))
    usable = UsableFilter()
    metadata = MetadataEntryFilter()
