"""Filters of the lists of plans and tasks."""

from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.forms import HiddenInput, TextInput
from django_filters import CharFilter, ChoiceFilter

from ...accounts.filters import OrganizationFilter
from ...common.api.filters import KeysFilter, SearchFilter, search_filter
from ...common.parsing import as_keys, key_range
from ...functions.models import Function
from ...permissions.filters import AssetListFilterSet, MetadataEntryFilter, hidden_keys
from ..filters import IntegersFilter, PlansWithTaskFilter
from ..models import ComputePlan, Task, TaskInput
from ..queries.relations import keys_of_children
from ..statuses import PlanStatus, TaskStatus


class TaggedListFilterSet(AssetListFilterSet):
    """Filters that the lists of plans and of tasks share."""

    tag = CharFilter(field_name="tag", label="Tag")
    metadata = MetadataEntryFilter(label="Metadata")


class ComputePlanListFilterSet(TaggedListFilterSet):
    q = search_filter("key", "name", "tag", placeholder="Name, key or tag")
    status = ChoiceFilter(choices=PlanStatus.choices, label="Status", empty_label="any")
    worker = OrganizationFilter(label="Worker", method="with_worker")
    function_key = PlansWithTaskFilter(
        field_name="function_id", label="Function", widget=HiddenInput
    )

    def with_worker(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Asked of the plans that are shown: a worker's tasks may be millions.
        return queryset.filter(
            Exists(Task.objects.filter(compute_plan=OuterRef("pk"), worker=value))
        )

    class Meta(AssetListFilterSet.Meta):
        model = ComputePlan


def _of_named(field: str, model: type[Model], text: str) -> Q:
    """Return the condition of tasks whose function, or plan, is called so.

    Its keys are looked up first: they are few beside tasks. Those of one key are in their order in
    the index of the field; those of several are sorted.
    """
    found = SearchFilter("key", "name").filter(model._default_manager.order_by(), text)
    keys: list[UUID] = list(found.values_list("pk", flat=True))
    if not keys:
        return Q(pk__in=[])
    return Q(**{field: keys[0]}) if len(keys) == 1 else Q(**{f"{field}__any": keys})


class NamedFilter(CharFilter):
    """Keeps tasks whose function, or plan, is called so."""

    def __init__(self, model: type[Model], **kwargs) -> None:
        self.named = model
        super().__init__(widget=TextInput(attrs={"placeholder": "Name or key"}), **kwargs)

    def filter(self, queryset: QuerySet, value: str | None) -> QuerySet:
        if not value:
            return queryset
        return queryset.filter(_of_named(self.field_name, self.named, value))


class TaskSearchFilter(CharFilter):
    """Keeps tasks whose key begins so, or whose function or plan is called so.

    All by indexes, which find them among millions.
    """

    def filter(self, queryset: QuerySet, value: str | None) -> QuerySet:
        if not value:
            return queryset
        found = _of_named("function_id", Function, value)
        found |= _of_named("compute_plan_id", ComputePlan, value)
        if keys := key_range(value.strip(), fewest=1):
            found |= Q(key__range=keys)
        return queryset.filter(found)


class TasksTakingFilter(KeysFilter):
    """Keeps tasks that take one of the assets, by a column of their inputs."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        inputs = super().filter(TaskInput.objects.all(), value)
        return queryset.filter(pk__in=inputs.order_by().values("task_id"))


class ChildrenFilter(KeysFilter):
    """Keeps tasks that take what one of the tasks makes."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        return queryset.filter(pk__in=keys_of_children(as_keys(value)))


class TaskListFilterSet(TaggedListFilterSet):
    q = TaskSearchFilter(
        label="Search",
        widget=TextInput(attrs={"type": "search", "placeholder": "Key, function or plan"}),
    )
    function = NamedFilter(Function, field_name="function_id", label="Function")
    plan = NamedFilter(ComputePlan, field_name="compute_plan_id", label="Compute plan")
    status = ChoiceFilter(choices=TaskStatus.choices, label="Status", empty_label="any")
    worker = OrganizationFilter(field_name="worker_id", label="Worker")
    rank = IntegersFilter(field_name="rank", label="Rank", widget=HiddenInput)
    compute_plan_key = hidden_keys(field_name="compute_plan_id", label="Compute plan")
    function_key = hidden_keys(field_name="function_id", label="Function")
    dataset_key = TasksTakingFilter(field_name="dataset_id", label="Dataset", widget=HiddenInput)
    data_sample_key = TasksTakingFilter(
        field_name="data_sample_id", label="Data sample", widget=HiddenInput
    )
    parent_task_key = ChildrenFilter(label="Parent task", widget=HiddenInput)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name in ("plan", "function", "q"):
            self.filters.move_to_end(name, last=False)

    class Meta(AssetListFilterSet.Meta):
        model = Task
