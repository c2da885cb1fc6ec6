"""Code that registers compute plans and tasks by the SDK and by curl."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from ..common.asset_keys import AssetKeys
from ..common.pages.snippets import (
    Raw,
    Snippets,
    call,
    permissions_call,
    permissions_json,
    sdk_and_curl,
)
from .inputs import InputGroup
from .specs import ComputePlanSpec, TaskSpec

# How many tasks of a plan, and data samples of a task, the code has; more would be too long to
# read.
MAX_TASKS, MAX_SAMPLES = 20, 20

_NAMES = ("ComputeTaskOutputSpec", "InputRef", "Permissions")


def plan_snippets(spec: ComputePlanSpec, request: Any) -> Snippets:
    """Return the code that registers a plan with its tasks, or with the first `MAX_TASKS`."""
    tasks = _shown(spec.tasks)
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
    return sdk_and_curl(request, names, code, "compute_plan-list", body, note=note)


def tasks_snippets(plan_key: UUID, specs: Sequence[TaskSpec], request: Any) -> Snippets:
    """Return the code that adds tasks, or the first `MAX_TASKS`, to a registered plan."""
    tasks = _shown(specs)
    batch = call("UpdateComputePlanTasksSpec", key=str(plan_key), tasks=_calls(tasks))
    names = ("ComputePlanTaskSpec", "UpdateComputePlanTasksSpec", *_NAMES)
    code = f'plan = client.add_compute_plan_tasks("{plan_key}", {batch})'
    key = {"compute_plan_key": str(plan_key)}
    body = {"tasks": [task_json(task, "key") | key for task in tasks]}
    return sdk_and_curl(request, names, code, "task-bulk-create", body, note=_note(specs))


def task_snippets(spec: TaskSpec, request: Any) -> Snippets:
    """Return the code that registers one task."""
    (task,) = _shown([spec])
    arguments, body = _arguments(task, "key", 0), task_json(task, "key")
    if spec.compute_plan_key:
        arguments["compute_plan_key"] = body["compute_plan_key"] = str(spec.compute_plan_key)
    code = f"key = client.add_task({call('TaskSpec', **arguments)})"
    names = ("TaskSpec", *_NAMES)
    body = {"tasks": [body]}
    return sdk_and_curl(request, names, code, "task-bulk-create", body, note=_note([spec]))


def _shown(tasks: Sequence[TaskSpec]) -> list[TaskSpec]:
    """Return the first tasks with the first of their data samples."""
    return [replace(task, inputs=list(map(_cut, task.inputs))) for task in tasks[:MAX_TASKS]]


def _cut(group: InputGroup) -> InputGroup:
    return group._replace(asset_keys=AssetKeys(group.asset_keys[:MAX_SAMPLES]))


def _note(tasks: Sequence[TaskSpec]) -> str:
    """Return a note if the code has not all tasks, or not all of their data samples."""
    if len(tasks) > MAX_TASKS:
        note = _(", with the first %(count)d tasks; write the others the same way")
        return note % {"count": MAX_TASKS}
    if any(group.size > MAX_SAMPLES for task in tasks for group in task.inputs):
        note = _(", with the first %(count)d data samples; write the others the same way")
        return note % {"count": MAX_SAMPLES}
    return ""


def _calls(tasks: Sequence[TaskSpec]) -> list[Raw]:
    return [call("ComputePlanTaskSpec", 8, **_arguments(task, "task_id", 8)) for task in tasks]


def _arguments(task: TaskSpec, key_name: str, indent: int) -> dict[str, Any]:
    """Return the arguments of a task's call, which is indented by `indent` spaces."""
    deeper = indent + 8
    arguments = task_json(task, key_name)
    arguments["inputs"] = [call("InputRef", deeper, **ref) for ref in arguments["inputs"]]
    arguments["outputs"] = {
        identifier: call(
            "ComputeTaskOutputSpec",
            deeper,
            permissions=permissions_call(output.permissions),
            **({"transient": True} if output.transient else {}),
        )
        for identifier, output in task.outputs.items()
    }
    return arguments


def task_json(task: TaskSpec, key_name: str) -> dict[str, Any]:
    """Return a task as the API takes it; a plan's tasks name their key `task_id`."""
    return {
        key_name: str(task.key),
        "function_key": str(task.function_key),
        "worker": task.worker,
        "tag": task.tag,
        "metadata": dict(task.metadata),
        "inputs": [
            {
                name: str(value)
                for name, value in ref._asdict().items()
                if value or name == "identifier"
            }
            for ref in task.refs
        ],
        "outputs": {
            identifier: {
                "permissions": permissions_json(output.permissions),
                "transient": output.transient,
            }
            for identifier, output in task.outputs.items()
        },
    }
