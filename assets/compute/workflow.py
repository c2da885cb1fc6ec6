"""The graph of a plan as the wire has it. Contract 2.6."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from ..functions.queries import inputs_of, outputs_of
from .dialects import dialect_of
from .models import Task
from .queries import graph_edges

MAX_TASKS = 5000


def workflow_graph(plan_key: UUID, request: Request) -> dict[str, list[dict[str, Any]]]:
    """Return `{"tasks": [...], "edges": [...]}`; empty for an unknown plan. Four queries.

    Raises:
        PermissionDenied: the plan has more tasks than a graph shows.
    """
    tasks = list(
        Task.objects.filter(compute_plan_id=plan_key)
        .order_by("rank", "key")
        .values_list("key", "rank", "function_id", "function__name", "worker_id", "status")[
            : MAX_TASKS + 1
        ]
    )
    if len(tasks) > MAX_TASKS:
        raise PermissionDenied(f"Cannot build workflow graph for more than {MAX_TASKS} tasks.")
    functions = {task[2] for task in tasks}
    inputs, outputs = _kinds(inputs_of(functions)), _kinds(outputs_of(functions))
    dialect = dialect_of(request)
    return {
        "tasks": [
            {
                "key": key,
                "rank": rank,
                "function_name": name,
                "worker": worker,
                "status": dialect.task_status(status),
                "inputs_specs": inputs[function],
                "outputs_specs": outputs[function],
            }
            for key, rank, function, name, worker, status in tasks
        ],
        "edges": _edges(plan_key),
    }


def _kinds(slots: dict[UUID, dict[str, dict[str, Any]]]) -> dict[UUID, list[dict[str, str]]]:
    kinds: dict[UUID, list[dict[str, str]]] = defaultdict(list)
    for function, items in slots.items():
        kinds[function] = [
            {"identifier": identifier, "kind": item["kind"]} for identifier, item in items.items()
        ]
    return kinds


def _edges(plan_key: UUID) -> list[dict[str, Any]]:
    return [
        {
            "source_task_key": parent,
            "source_output_identifier": output,
            "target_task_key": task,
            "target_input_identifier": identifier,
        }
        for parent, output, task, identifier in graph_edges(plan_key)
    ]
