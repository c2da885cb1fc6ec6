"""What lists and pages ask about plans and tasks."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.db.models import (
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    QuerySet,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Now, RowNumber

from ..accounts.rules import DELETED, EXTERNAL
from ..common.db.compiled import Compiled, key_text, stored_json
from ..common.parsing import as_key
from ..permissions.queries import permission_columns
from .drawing import EDGES
from .models import ComputePlan, Task, TaskInput, TaskOutput
from .specs import ComputePlanSpec, InputRef, OutputSpec, TaskSpec
from .statuses import COUNTERS


def with_duration(queryset: QuerySet) -> QuerySet:
    """Annotate plans or tasks with `elapsed`, how long they have run: a timedelta, or None."""
    end = Coalesce(F("end_date"), Now())
    elapsed = ExpressionWrapper(end - F("start_date"), output_field=DurationField())
    return queryset.annotate(elapsed=elapsed)


def creator_of(plan: ComputePlan, organization_id: str | None) -> str:
    """Return who made a plan, as far as an organisation is told. Contract 2.6."""
    username = plan.creator.username if plan.creator else None
    return visible_creator(username, plan.owner_id, organization_id)


def visible_creator(username: str | None, owner_id: str, organization_id: str | None) -> str:
    """Return what an organisation is told of the user who made an owner's plan."""
    if owner_id != organization_id:
        return EXTERNAL
    return username or DELETED


def with_visible_creator(queryset: QuerySet, organization_id: str | None) -> QuerySet:
    """Annotate plans with `visible_creator`: filters and orders know no more than is told."""
    own = When(owner=organization_id, then=Coalesce("creator__username", Value(DELETED)))
    return queryset.annotate(visible_creator=Case(own, default=Value(EXTERNAL)))


# What a response tells of a plan as it is, in the order of `plan_rows`.
PLAN_COLUMNS = (
    *("name", "tag", "creation_date", "start_date", "end_date", "status", "task_count"),
    *COUNTERS.values(),
)


@Compiled
def plan_rows(keys: Collection[UUID]) -> QuerySet:
    """What a response tells of each plan: its key, its failed task's, its owner, its creator's
    name, its metadata, and PLAN_COLUMNS.
    """
    return ComputePlan.objects.filter(key__any=keys).values_list(
        key_text("key"),
        key_text("failed_task_key"),
        *("owner_id", "creator__username"),
        stored_json("metadata"),
        *PLAN_COLUMNS,
    )


@Compiled
def task_rows(keys: Collection[UUID]) -> QuerySet:
    """What a response tells of each task, but for its inputs and outputs."""
    return Task.objects.filter(key__any=keys).values_list(
        *(key_text("key"), key_text("function_id"), "owner_id", "worker_id"),
        *(key_text("compute_plan_id"), "rank", "status"),
        *("tag", stored_json("metadata"), "creation_date", "start_date", "end_date", "error_type"),
        *permission_columns("logs_permission"),
    )


@Compiled
def _inputs(keys: Collection[UUID]) -> QuerySet:
    rows = TaskInput.objects.filter(task_id__any=keys).order_by("task_id", "position")
    return rows.values_list(
        *(key_text("task_id"), "identifier"),
        key_text(Coalesce("dataset_id", "data_sample_id", "model_id")),
        *(key_text("parent_task_id"), "parent_output_identifier"),
    )


def input_refs_of(keys: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """Return each task's inputs in the order given, as the wire has them; one query."""
    refs: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for key, identifier, asset, parent, output in _inputs(keys):
        refs[key].append(
            {
                "identifier": identifier,
                "asset_key": asset,
                "parent_task_key": parent,
                "parent_task_output_identifier": output or None,
            }
        )
    return refs


@Compiled
def output_rows(keys: Collection[UUID]) -> QuerySet:
    """What a response tells of each output of the tasks."""
    rows = TaskOutput.objects.filter(task_id__any=keys).order_by("task_id", "pk")
    return rows.values_list(
        key_text("task_id"), "identifier", "transient", *permission_columns("permissions")
    )


# --- As specs -------------------------------------------------------------------------------------


def spec_of_plan(plan: ComputePlan, limit: int | None = None) -> ComputePlanSpec:
    """Return the spec of a plan with its tasks, or the first of them; three queries."""
    tasks = plan.tasks.order_by("rank", "creation_date", "pk")[:limit]
    return ComputePlanSpec(plan.key, plan.name, plan.tag, plan.metadata, specs_of(list(tasks)))


def spec_of_task(task: Task) -> TaskSpec:
    """Return the spec that a task was registered by; two queries."""
    return specs_of([task])[0]


def _input_ref(ref: dict[str, Any]) -> InputRef:
    keys = {name: as_key(ref[name]) for name in ("asset_key", "parent_task_key")}
    return InputRef(**{**ref, **keys})


def specs_of(tasks: Sequence[Task]) -> list[TaskSpec]:
    """Return the specs of tasks in their order; two queries."""
    keys = [task.key for task in tasks]
    inputs = input_refs_of([str(key) for key in keys])
    outputs: dict[UUID, dict[str, OutputSpec]] = defaultdict(dict)
    for output in TaskOutput.objects.filter(task_id__any=keys).select_related("permissions"):
        spec = OutputSpec(output.permissions.value, output.transient)
        outputs[output.task_id][output.identifier] = spec
    return [
        TaskSpec(
            key=task.key,
            function_key=task.function_id,
            worker=task.worker_id,
            compute_plan_key=task.compute_plan_id,
            tag=task.tag,
            metadata=task.metadata,
            inputs=tuple(map(_input_ref, inputs[str(task.key)])),
            outputs=outputs[task.key],
        )
        for task in tasks
    ]


def renewed(spec: ComputePlanSpec) -> ComputePlanSpec:
    """Return the same plan under new keys, its own and its tasks', as it can be registered again.

    Parents in other plans stay the ones that they are.
    """
    plan_key = uuid4()
    new = {task.key: uuid4() for task in spec.tasks}
    tasks = [
        replace(
            task,
            key=new[task.key],
            compute_plan_key=plan_key,
            inputs=tuple(
                ref._replace(parent_task_key=new.get(ref.parent_task_key, ref.parent_task_key))
                if ref.parent_task_key
                else ref
                for ref in task.inputs
            ),
        )
        for task in spec.tasks
    ]
    return replace(spec, key=plan_key, tasks=tasks)


def count_of_all() -> int:
    """Return how many tasks there are. Plans know how many they have: fewer rows to read."""
    return ComputePlan.objects.aggregate(count=Sum("task_count"))["count"] or 0


# --- For pages ------------------------------------------------------------------------------------


class GraphTask(NamedTuple):
    """What a graph shows of a task."""

    key: str
    rank: int
    function: str
    worker: str
    status: str


def graph_tasks(plan_key: UUID) -> list[GraphTask]:
    """Return a plan's tasks as a graph shows them, by rank; one query."""
    return list(map(GraphTask._make, _drawn_tasks([plan_key])))


@Compiled
def _drawn_tasks(plan_keys: Collection[UUID]) -> QuerySet:
    rows = Task.objects.filter(compute_plan_id__any=plan_keys).order_by("rank", "worker_id", "key")
    return rows.values_list(key_text("key"), "rank", "function__name", "worker_id", "status")


# More tasks make a graph that nobody can read.
MAX_GRAPH_TASKS = 5000


@Compiled
def graph_rows(plan_keys: Collection[UUID]) -> QuerySet:
    """What the API's graph tells of each task of a plan, by rank; one more than it shows."""
    rows = Task.objects.filter(compute_plan_id__any=plan_keys).order_by("rank", "key")
    told = rows.values_list(
        *(key_text("key"), "rank", key_text("function_id"), "function__name"),
        *("worker_id", "status"),
    )
    return told[: MAX_GRAPH_TASKS + 1]


@Compiled
def edge_rows(plan_keys: Collection[UUID]) -> QuerySet:
    """What the API's graph tells of each edge inside a plan."""
    rows = TaskInput.objects.filter(
        task__compute_plan_id__any=plan_keys, parent_task__compute_plan_id__any=plan_keys
    )
    return rows.order_by("task__rank", "task_id", "position").values_list(
        *(key_text("parent_task_id"), "parent_output_identifier"),
        *(key_text("task_id"), "identifier"),
    )


@Compiled
def drawn_edges(plan_keys: Collection[UUID]) -> QuerySet:
    """The edges inside a plan as `edge_rows` has them; one more at most than is drawn."""
    return edge_rows.build(plan_keys)[: EDGES + 1]


def counts_by_rank(plan_key: UUID) -> dict[int, dict[str, dict[str, int]]]:
    """Return how many of a plan's tasks are in each status, by rank and worker; one query."""
    rows = Task.objects.filter(compute_plan_id=plan_key).values_list("rank", "worker_id", "status")
    found: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for rank, worker, status, count in rows.annotate(count=Count("pk")).order_by("rank"):
        found[rank][worker][status] = count
    return found


def functions_of(plan_key: UUID) -> QuerySet:
    """Return the functions that a plan's tasks run, each with how many do; one query."""
    rows = Task.objects.filter(compute_plan_id=plan_key)
    named = rows.values("function_id", name=F("function__name")).annotate(count=Count("pk"))
    return named.order_by("function__name_order", "function_id")


def inputs_with_sources(task_key: UUID, limit: int) -> list[tuple[TaskInput, int]]:
    """Return a task's inputs in the order given, each with what feeds it.

    Of those of one identifier the first `limit`; beside each, how many of its there are.
    """
    rows = TaskInput.objects.filter(task_id=task_key).order_by("position")
    rows = rows.select_related("dataset", "model", "parent_task__function")
    found = list(rows[: limit + 1])
    if len(found) <= limit:
        # Nearly always: and what follows costs more than all else that is asked of a task.
        totals = Counter(row.identifier for row in found)
        return [(row, totals[row.identifier]) for row in found]
    placed = rows.annotate(
        place=Window(RowNumber(), partition_by="identifier", order_by="position"),
        total=Window(Count("pk"), partition_by="identifier"),
    )
    return [(row, row.total) for row in placed.filter(place__lte=limit)]


def parents_of(task_key: UUID) -> QuerySet[Task]:
    """Return the tasks whose outputs a task takes, by reference or as models, by rank."""
    inputs = TaskInput.objects.filter(task_id=task_key).order_by()
    referred = inputs.filter(parent_task__isnull=False).values_list("parent_task_id")
    made = inputs.filter(model__isnull=False).values_list("model__task_id")
    return _related(referred.union(made))


def children_of(task_key: UUID) -> QuerySet[Task]:
    """Return the tasks that take an output of a task, by reference or as a model, by rank."""
    return _related(keys_of_children([task_key]))


def keys_of_children(task_keys: Collection[UUID]) -> QuerySet:
    """Return the keys of the tasks that take an output of one of the tasks, for a subquery."""
    # Two selections of which each has an index; a condition with OR would read all the tasks.
    inputs = TaskInput.objects.order_by()
    referring = inputs.filter(parent_task_id__any=task_keys).values_list("task_id")
    taking = inputs.filter(model__task_id__any=task_keys).values_list("task_id")
    return referring.union(taking)


def _related(keys: QuerySet) -> QuerySet[Task]:
    tasks = Task.objects.filter(pk__in=keys).select_related("function")
    return tasks.order_by("rank", "worker_id", "pk")
