"""Registered plans and tasks as specs, to show them as code or to register them again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import orjson

from ...common.asset_keys import AssetKeys
from ...common.parsing import as_key, as_keys
from ..inputs import InputGroup
from ..models import ComputePlan, Task, TaskOutput
from ..specs import ComputePlanSpec, OutputSpec, TaskSpec
from .responses import InputRow, input_rows_of


def spec_of_plan(
    plan: ComputePlan, limit: int | None = None, samples: int | None = None
) -> ComputePlanSpec:
    """Return the spec of a plan with its tasks, or with the first `limit`; three queries."""
    tasks = list(plan.tasks.order_by("rank", "creation_date", "pk")[:limit])
    specs = specs_of(tasks, samples)
    return ComputePlanSpec(plan.key, plan.name, plan.tag, plan.metadata, specs)


def spec_of_task(task: Task, samples: int | None = None) -> TaskSpec:
    """Return the spec with which a task was registered; two queries."""
    return specs_of([task], samples)[0]


def specs_of(tasks: Sequence[Task], samples: int | None = None) -> list[TaskSpec]:
    """Return the specs of tasks in their order; two queries.

    Args:
        samples: how many data samples of a list to return, if not all.
    """
    keys = [task.key for task in tasks]
    inputs, texts = input_rows_of([str(key) for key in keys])
    lists = {pk: AssetKeys(as_keys(orjson.loads(text)[:samples])) for pk, text in texts.items()}
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
            inputs=[_group(row, lists) for row in inputs[str(task.key)]],
            outputs=outputs[task.key],
        )
        for task in tasks
    ]


def _group(row: InputRow, lists: Mapping[int | None, AssetKeys]) -> InputGroup:
    return InputGroup(
        row.identifier,
        lists[row.sample_set] if row.sample_set else AssetKeys(as_keys([row.asset])),
        as_key(row.parent),
        row.output or None,
    )


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
            inputs=[
                group._replace(parent_task_key=new.get(parent, parent))
                if (parent := group.parent_task_key)
                else group
                for group in task.inputs
            ],
        )
        for task in spec.tasks
    ]
    return replace(spec, key=plan_key, tasks=tasks)
