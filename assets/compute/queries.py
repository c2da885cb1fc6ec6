"""What lists and pages ask about plans and tasks."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.db.models.functions import Coalesce, Now

from ..permissions.models import Permissions
from .models import ComputePlan, Task, TaskInput, TaskOutput
from .specs import ComputePlanSpec, InputRef, OutputSpec, TaskSpec


def with_duration(queryset: QuerySet) -> QuerySet:
    """Annotate plans or tasks with `elapsed`, how long they have run: a timedelta, or None."""
    end = Coalesce(F("end_date"), Now())
    elapsed = ExpressionWrapper(end - F("start_date"), output_field=DurationField())
    return queryset.annotate(elapsed=elapsed)


def input_refs_of(keys: Collection[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """Return each task's inputs in the order given, as the wire has them; one query."""
    refs: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    rows = TaskInput.objects.filter(task_id__any=keys).order_by("task", "position")
    for key, identifier, dataset, sample, model, parent, output in rows.values_list(
        "task_id",
        "identifier",
        "dataset_id",
        "data_sample_id",
        "model_id",
        "parent_task_id",
        "parent_output_identifier",
    ):
        refs[key].append(
            {
                "identifier": identifier,
                "asset_key": next(filter(None, (dataset, sample, model)), None),
                "parent_task_key": parent,
                "parent_task_output_identifier": output or None,
            }
        )
    return refs


def outputs_of(keys: Collection[UUID]) -> dict[UUID, list[tuple[str, int, bool]]]:
    """Return each task's outputs as (identifier, permissions id, transient); one query."""
    outputs: dict[UUID, list[tuple[str, int, bool]]] = defaultdict(list)
    rows = TaskOutput.objects.filter(task_id__any=keys).order_by("task", "pk")
    for key, identifier, permissions, transient in rows.values_list(
        "task_id", "identifier", "permissions_id", "transient"
    ):
        outputs[key].append((identifier, permissions, transient))
    return outputs


# --- As specs -------------------------------------------------------------------------------------


def spec_of_plan(plan: ComputePlan, limit: int | None = None) -> ComputePlanSpec:
    """Return the spec of a plan with its tasks, or the first of them; four queries."""
    tasks = plan.tasks.order_by("rank", "creation_date", "pk")[:limit]
    return ComputePlanSpec(plan.key, plan.name, plan.tag, plan.metadata, specs_of(list(tasks)))


def spec_of_task(task: Task) -> TaskSpec:
    """Return the spec that a task was registered by; three queries."""
    return specs_of([task])[0]


def specs_of(tasks: Sequence[Task]) -> list[TaskSpec]:
    """Return the specs of tasks in their order; three queries."""
    keys = [task.key for task in tasks]
    inputs, outputs = input_refs_of(keys), outputs_of(keys)
    rows = Permissions.objects.filter(pk__any={pk for row in outputs.values() for _, pk, _ in row})
    permissions = {row.pk: row.value for row in rows}
    return [
        TaskSpec(
            key=task.key,
            function_key=task.function_id,
            worker=task.worker_id,
            compute_plan_key=task.compute_plan_id,
            tag=task.tag,
            metadata=task.metadata,
            inputs=tuple(InputRef(**ref) for ref in inputs[task.key]),
            outputs={
                identifier: OutputSpec(permissions[pk], transient)
                for identifier, pk, transient in outputs[task.key]
            },
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
