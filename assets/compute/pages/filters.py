"""Filters of the lists of plans and tasks."""

from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.forms import HiddenInput, TextInput
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter

from ...accounts.filters import OrganizationFilter
from ...common.api.filters import KeysFilter, NarrowingMixin, SearchFilter, search_filter
from ...common.parsing import as_keys, key_range
from ...functions.models import Function
from ...permissions.filters import AssetListFilterSet, MetadataEntryFilter, hidden_keys
from ..filters import IntegersFilter, PlansWithTaskFilter
from ..models import ComputePlan, Task, TaskInput
from ..queries.relations import keys_of_children
from ..statuses import PlanStatus, TaskStatus


class TaggedListFilterSet(AssetListFilterSet):
    """Filters that the lists of plans and of tasks share."""

    tag = CharFilter(field_name="tag", label=_("Tag"))
    metadata = MetadataEntryFilter()


class ComputePlanListFilterSet(TaggedListFilterSet):
    q = search_filter("key", "name", "tag", placeholder=_("Name, key or tag"))
    status = ChoiceFilter(choices=PlanStatus.choices, label=_("Status"), empty_label=_("any"))
    worker = OrganizationFilter(label=_("Worker"), method="with_worker")
    function_key = PlansWithTaskFilter(
        field_name="function_id", label=_("Function"), widget=HiddenInput
    )

    def with_worker(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        # Checked for the plans on the page only: a worker may have millions of tasks.
        return queryset.filter(
            Exists(Task.objects.filter(compute_plan=OuterRef("pk"), worker=value))
        )


def _named(field: str, model: type[Model], text: str) -> Q:
    """Return the condition of tasks whose function or plan has this name or key.

    Its keys are looked up first, because they are few. The tasks of one key are read in order from
    the index of the field; those of several are sorted.
    """
    found = SearchFilter("key", "name").filter(model._default_manager.order_by(), text)
    keys: list[UUID] = list(found.values_list("pk", flat=True))
    if not keys:
        return Q(pk__in=[])
    return Q(**{field: keys[0]}) if len(keys) == 1 else Q(**{f"{field}__any": keys})


class NamedFilter(NarrowingMixin, CharFilter):
    """Keeps tasks whose function or plan has this name or key."""

    def __init__(self, model: type[Model], **kwargs) -> None:
        self.named = model
        super().__init__(widget=TextInput(attrs={"placeholder": _("Name or key")}), **kwargs)

    def narrow(self, queryset: QuerySet, value: str) -> QuerySet:
        return queryset.filter(_named(self.field_name, self.named, value))


class TaskSearchFilter(NarrowingMixin, CharFilter):
    """Keeps tasks by the beginning of their key, or by the name of their function or plan.

    All of these have an index, which finds them among millions.
    """

    def narrow(self, queryset: QuerySet, value: str) -> QuerySet:
        found = _named("function_id", Function, value)
        found |= _named("compute_plan_id", ComputePlan, value)
        if keys := key_range(value.strip(), fewest=1):
            found |= Q(key__range=keys)
        return queryset.filter(found)


class TasksTakingFilter(KeysFilter):
    """Keeps tasks that have one of the assets as an input."""

    def narrow(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        inputs = super().narrow(TaskInput.objects.all(), value)
        return queryset.filter(pk__in=inputs.order_by().values("task_id"))


class ChildrenFilter(KeysFilter):
    """Keeps tasks that take an output of one of the tasks."""

    def narrow(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        return queryset.filter(pk__in=keys_of_children(as_keys(value)))


class TaskListFilterSet(TaggedListFilterSet):
    q = TaskSearchFilter(
        label=_("Search"),
        widget=TextInput(attrs={"type": "search", "placeholder": _("Key, function or plan")}),
    )
    function = NamedFilter(Function, field_name="function_id", label=_("Function"))
    plan = NamedFilter(ComputePlan, field_name="compute_plan_id", label=_("Compute plan"))
    status = ChoiceFilter(choices=TaskStatus.choices, label=_("Status"), empty_label=_("any"))
    worker = OrganizationFilter(field_name="worker_id", label=_("Worker"))
    rank = IntegersFilter(field_name="rank", label=_("Rank"), widget=HiddenInput)
    compute_plan_key = hidden_keys(field_name="compute_plan_id", label=_("Compute plan"))
    function_key = hidden_keys(field_name="function_id", label=_("Function"))
    dataset_key = TasksTakingFilter(field_name="dataset_id", label=_("Dataset"), widget=HiddenInput)
    data_sample_key = TasksTakingFilter(
        field_name="sample_set__members__data_sample_id",
        label=_("Data sample"),
        widget=HiddenInput,
    )
    parent_task_key = ChildrenFilter(label=_("Parent task"), widget=HiddenInput)

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        for name in ("plan", "function", "q"):
            self.filters.move_to_end(name, last=False)
