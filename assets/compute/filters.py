"""Filters of compute plans and tasks. Contract 2.6, 2.7, 2.14."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.forms import HiddenInput, TextInput
from django_filters import CharFilter, ChoiceFilter, RangeFilter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework.exceptions import ValidationError

from ..accounts.filters import OrganizationFilter
from ..common.api.filters import (
    AssetFilterSet,
    KeysFilter,
    MatchFilter,
    MetadataFilter,
    MomentRangeFilter,
    SearchFilter,
    TextsFilter,
    search_filter,
)
from ..common.parsing import as_keys, key_range
from ..functions.models import Function
from ..permissions.filters import AssetListFilterSet, MetadataEntryFilter, hidden_keys
from .dialects import dialect_of
from .models import ComputePlan, Task, TaskInput
from .queries import keys_of_children, with_duration, with_visible_creator
from .statuses import PlanStatus, TaskStatus


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
    start_date = MomentRangeFilter(field_name="start_date")
    end_date = MomentRangeFilter(field_name="end_date")
    duration = DurationFilter()
    metadata = MetadataFilter(field_name="metadata")


class PlansWithTaskFilter(KeysFilter):
    """Keeps plans some task of which meets the condition."""

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        tasks = super().filter(Task.objects.all(), value)
        return queryset.filter(pk__in=tasks.order_by().values("compute_plan_id"))


class CreatorFilter(TextsFilter):
    """Keeps plans of these users, as far as one is told who made a plan."""

    def __init__(self, **kwargs) -> None:
        super().__init__(field_name="visible_creator", **kwargs)

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        own = self.parent.request.user.organization_id
        return super().filter(with_visible_creator(queryset, own), value) if value else queryset


class ComputePlanFilterSet(TaggedFilterSet):
    name = TextsFilter(field_name="name")
    status = StatusFilter("plan_condition")
    creator = CreatorFilter()
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


# --- Of pages -------------------------------------------------------------------------------------


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
