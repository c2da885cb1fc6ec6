"""Registered plans and tasks as specs, to show them as code or to register them again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from ...common.parsing import as_key
from ..models import ComputePlan, Task, TaskOutput
from ..specs import ComputePlanSpec, InputRef, OutputSpec, TaskSpec
from .responses import input_refs_of


def spec_of_plan(plan: ComputePlan, limit: int | None = None) -> ComputePlanSpec:
    """Return the spec of a plan with its tasks, or with the first `limit`; three queries."""
    tasks = plan.tasks.order_by("rank", "creation_date", "pk")[:limit]
    return ComputePlanSpec(plan.key, plan.name, plan.tag, plan.metadata, specs_of(list(tasks)))


def spec_of_task(task: Task) -> TaskSpec:
    """Return the spec with which a task was registered; two queries."""
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
    """Return the same plan with new keys for itself and its tasks, to be registered again.

    Parents in other plans stay the same.
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
