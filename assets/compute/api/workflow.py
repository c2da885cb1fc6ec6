"""The graph of a plan in the API. Contract 2.6."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from ...functions.queries import inputs_by_text, outputs_by_text
from ..queries.graphs import MAX_GRAPH_TASKS, edge_rows, graph_rows
from .dialects import dialect_of


def workflow_graph(plan_key: UUID, request: Request) -> dict[str, list[dict[str, Any]]]:
    """Return `{"tasks": [...], "edges": [...]}`; empty for an unknown plan. Four queries.

    Raises:
        PermissionDenied: the plan has more tasks than a graph shows.
    """
    tasks = graph_rows([plan_key])
    if len(tasks) > MAX_GRAPH_TASKS:
        raise PermissionDenied(
            f"Cannot build workflow graph for more than {MAX_GRAPH_TASKS} tasks."
        )
    functions = {task[2] for task in tasks}
    inputs, outputs = _kinds(inputs_by_text(functions)), _kinds(outputs_by_text(functions))
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
        "edges": _wire_edges(plan_key),
    }


def _kinds(slots: dict[str, dict[str, dict[str, Any]]]) -> dict[str, list[dict[str, str]]]:
    kinds: dict[str, list[dict[str, str]]] = defaultdict(list)
    for function, items in slots.items():
        kinds[function] = [
            {"identifier": identifier, "kind": item["kind"]} for identifier, item in items.items()
        ]
    return kinds


def _wire_edges(plan_key: UUID) -> list[dict[str, Any]]:
    return [
        {
            "source_task_key": parent,
            "source_output_identifier": output,
            "target_task_key": task,
            "target_input_identifier": identifier,
        }
        for parent, output, task, identifier in edge_rows([plan_key])
    ]
