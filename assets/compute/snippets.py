"""Compute plans and tasks as code: what registers them by the SDK and by curl."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from ..common.pages.snippets import (
    Raw,
    Snippets,
    both_ways,
    call,
    permissions_call,
    permissions_json,
)
from .specs import ComputePlanSpec, InputRef, OutputSpec, TaskSpec

# How many tasks of a plan the code spells out; more would be no reading any more.
SPELLED = 20

_NAMES = ("ComputeTaskOutputSpec", "InputRef", "Permissions")


def plan_snippets(spec: ComputePlanSpec, request: Any) -> Snippets:
    """Return the code that registers a plan with its tasks, or with the first of many."""
    tasks = list(spec.tasks)[:SPELLED]
    arguments = {
        "key": str(spec.key),
        "name": spec.name,
        "tag": spec.tag,
        "metadata": dict(spec.metadata),
    }
    statement = call("ComputePlanSpec", **arguments, tasks=_calls(tasks))
    body = {**arguments, "tasks": [task_json(task, "task_id") for task in tasks]}
    names = ("ComputePlanSpec", "ComputePlanTaskSpec", *_NAMES)
    code = f"plan = client.add_compute_plan({statement})"
    note = _note(spec.tasks)
    return both_ways(request, names, code, "compute_plan-list", body, note=note)


def tasks_snippets(plan_key: UUID, specs: Sequence[TaskSpec], request: Any) -> Snippets:
    """Return the code that adds tasks to a registered plan, or the first of many."""
    tasks = specs[:SPELLED]
    batch = call("UpdateComputePlanTasksSpec", key=str(plan_key), tasks=_calls(tasks))
    names = ("ComputePlanTaskSpec", "UpdateComputePlanTasksSpec", *_NAMES)
    code = f'plan = client.add_compute_plan_tasks("{plan_key}", {batch})'
    key = {"compute_plan_key": str(plan_key)}
    body = {"tasks": [task_json(task, "key") | key for task in tasks]}
    return both_ways(request, names, code, "task-bulk-create", body, note=_note(specs))


def task_snippets(spec: TaskSpec, request: Any) -> Snippets:
    """Return the code that registers one task."""
    arguments, body = _arguments(spec, "key", 0), task_json(spec, "key")
    if spec.compute_plan_key:
        arguments["compute_plan_key"] = body["compute_plan_key"] = str(spec.compute_plan_key)
    code = f"key = client.add_task({call('TaskSpec', **arguments)})"
    names = ("TaskSpec", *_NAMES)
    return both_ways(request, names, code, "task-bulk-create", {"tasks": [body]})


def _note(tasks: Sequence[TaskSpec]) -> str:
    """Say so where not all tasks are spelled out."""
    cut = len(tasks) > SPELLED
    return f", with the first {SPELLED} tasks; the others are spelled alike" if cut else ""


def _calls(tasks: Sequence[TaskSpec]) -> list[Raw]:
    return [call("ComputePlanTaskSpec", 8, **_arguments(task, "task_id", 8)) for task in tasks]


def _arguments(task: TaskSpec, key_name: str, indent: int) -> dict[str, Any]:
    """Return the arguments of a task's call, which begins so many spaces from the left."""
    deeper = indent + 8
    return {
        key_name: str(task.key),
        "function_key": str(task.function_key),
        "worker": task.worker,
        "tag": task.tag,
        "metadata": dict(task.metadata),
        "inputs": [call("InputRef", deeper, **_ref(ref)) for ref in task.inputs],
        "outputs": {
            identifier: _output_call(output, deeper) for identifier, output in task.outputs.items()
        },
    }


def _ref(ref: InputRef) -> dict[str, str]:
    found = {
        "asset_key": ref.asset_key,
        "parent_task_key": ref.parent_task_key,
        "parent_task_output_identifier": ref.parent_task_output_identifier,
    }
    return {
        "identifier": ref.identifier,
        **{name: str(value) for name, value in found.items() if value},
    }


def _output_call(output: OutputSpec, indent: int) -> Raw:
    arguments: dict[str, Any] = {"permissions": permissions_call(output.permissions)}
    if output.transient:
        arguments["transient"] = True
    return call("ComputeTaskOutputSpec", indent, **arguments)


def task_json(task: TaskSpec, key_name: str) -> dict[str, Any]:
    """Return a task as the wire has it; a plan's tasks call their key `task_id`."""
    return {
        key_name: str(task.key),
        "function_key": str(task.function_key),
        "worker": task.worker,
        "tag": task.tag,
        "metadata": dict(task.metadata),
        "inputs": [_ref(ref) for ref in task.inputs],
        "outputs": _outputs_json(task.outputs.items()),
    }


def _outputs_json(outputs: Iterable[tuple[str, OutputSpec]]) -> dict[str, Any]:
    return {
        identifier: {
            "permissions": permissions_json(output.permissions),
            "transient": output.transient,
        }
        for identifier, output in outputs
    }
