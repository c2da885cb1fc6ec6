"""What a plan's or a task's page shows around it: ranks, functions, inputs, parents, children."""

from collections import Counter, defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import Count, QuerySet, Sum, Window
from django.db.models.functions import Coalesce, RowNumber

from ...common.db.compiled import Compiled, Instances
from ..models import Task, TaskInput


def counts_by_rank(plan_key: UUID) -> dict[int, dict[str, dict[str, int]]]:
    """Return how many of a plan's tasks are in each status, by rank and worker; one query."""
    found: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for rank, worker, status, count in _counts_by_rank([plan_key]):
        found[rank][worker][status] = count
    return found


@Compiled
def _counts_by_rank(plan_keys: Collection[UUID]) -> QuerySet:
    rows = Task.objects.filter(compute_plan_id__only=plan_keys)
    return (
        rows.values_list("rank", "worker_id", "status").annotate(count=Count("pk")).order_by("rank")
    )


@Compiled
def functions_of(plan_keys: Collection[UUID]) -> QuerySet:
    """Return the functions of a plan's tasks: key, name, and number of tasks; one query."""
    rows = Task.objects.filter(compute_plan_id__only=plan_keys)
    named = rows.values_list("function_id", "function__name").annotate(count=Count("pk"))
    return named.order_by("function__name_order", "function_id")


def inputs_with_sources(task_key: UUID, limit: int) -> list[tuple[TaskInput, int]]:
    """Return a task's inputs in their order with their sources, and the count per identifier.

    Each identifier has at most `limit` rows, of which one can be a list of data samples. One query,
    or two if there are more rows.
    """
    found = _inputs_with_sources([task_key], limit + 1)
    if len(found) <= limit:
        # Nearly always. Window functions cost more than all other queries of a task's page.
        totals: Counter[str] = Counter()
        for row in found:
            totals[row.identifier] += row.size
        return [(row, totals[row.identifier]) for row in found]
    placed = _inputs_with_sources.build([task_key]).annotate(
        place=Window(RowNumber(), partition_by="identifier", order_by="position"),
        total=Window(Sum(Coalesce("sample_set__count", 1)), partition_by="identifier"),
    )
    return [(row, row.total) for row in placed.filter(place__lte=limit)]


@Instances
def _inputs_with_sources(task_keys: Collection[UUID]) -> QuerySet[TaskInput]:
    rows = TaskInput.objects.filter(task_id__only=task_keys).order_by("position")
    return rows.select_related("dataset", "sample_set", "model", "parent_task__function")


@Instances
def parents_of(task_keys: Collection[UUID]) -> QuerySet[Task]:
    """Return the tasks whose outputs a task takes, by reference or as models, sorted by rank."""
    inputs = TaskInput.objects.filter(task_id__only=task_keys).order_by()
    referred = inputs.filter(parent_task__isnull=False).values_list("parent_task_id")
    made = inputs.filter(model__isnull=False).values_list("model__task_id")
    return _related(referred.union(made))


@Instances
def children_of(task_keys: Collection[UUID]) -> QuerySet[Task]:
    """Return the tasks that take an output of a task, by reference or as a model, by rank."""
    return _related(keys_of_children(task_keys))


def keys_of_children(task_keys: Collection[UUID]) -> QuerySet:
    """Return the keys of the tasks that take an output of one of the tasks, for a subquery."""
    # Each of the two selections has an index; one condition with OR would read all tasks.
    inputs = TaskInput.objects.order_by()
    referring = inputs.filter(parent_task_id__any=task_keys).values_list("task_id")
    taking = inputs.filter(model__task_id__any=task_keys).values_list("task_id")
    return referring.union(taking)


def _related(keys: QuerySet) -> QuerySet[Task]:
    tasks = Task.objects.filter(pk__in=keys).select_related("function")
    return tasks.order_by("rank", "worker_id", "pk")
