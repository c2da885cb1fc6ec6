"""Filters and columns are copied for each request: what one request sets reaches no other."""

from assets.compute.models import ComputePlan
from assets.compute.pages.filters import ComputePlanListFilterSet
from assets.datasets.filters import DatasetListFilterSet
from assets.datasets.models import Dataset
from assets.datasets.tables import DatasetTable


def test_choices_of_one_request_reach_no_other(rf, alice):
    request = rf.get("/")
    request.user = alice
    one, other = (
        DatasetListFilterSet({}, queryset=Dataset.objects.all(), request=request) for _ in range(2)
    )
    one.filters["owner"].extra["choices"] = [("changed", "changed")]
    one.filters["owner"].label = "changed"
    for filters in (other.filters, DatasetListFilterSet.base_filters):
        assert "changed" not in str(filters["owner"].extra)
        assert filters["owner"].label != "changed"


def test_methods_are_those_of_the_own_filter_set(rf, alice):
    request = rf.get("/")
    request.user = alice
    sets = [
        ComputePlanListFilterSet({}, queryset=ComputePlan.objects.all(), request=request)
        for _ in range(2)
    ]
    methods = [one.filters["worker"].filter.method for one in sets]
    assert [method.__self__ for method in methods] == sets


def test_what_a_column_remembers_reaches_no_other_table(db):
    one, other = DatasetTable([]), DatasetTable([])
    one.columns["key"].column.copy_label = "in the language of one"
    assert "copy_label" not in vars(other.columns["key"].column)
    assert "copy_label" not in vars(DatasetTable.base_columns["key"])
