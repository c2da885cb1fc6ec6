"""The graph of a plan in the API. Contract 2.6."""

from typing import Any
from uuid import UUID

from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from ...functions.queries import graphed_functions
from ..queries.graphs import MAX_GRAPH_TASKS, edge_rows, graph_rows
from .dialects import dialect_of


def workflow_graph(plan_key: UUID, request: Request) -> dict[str, list[dict[str, Any]]]:
    """Return `{"tasks": [...], "edges": [...]}`; empty for an unknown plan. Three queries.

    Raises:
        PermissionDenied: the plan has more tasks than a graph shows.
    """
    tasks = graph_rows([plan_key])
    if len(tasks) > MAX_GRAPH_TASKS:
        raise PermissionDenied(
            f"Cannot build workflow graph for more than {MAX_GRAPH_TASKS} tasks."
        )
    functions = {key: shown for key, *shown in graphed_functions({task[2] for task in tasks})}
    dialect = dialect_of(request)
    return {
        "tasks": [
            {
                "key": key,
                "rank": rank,
                "function_name": name,
                "worker": worker,
                "status": dialect.task_status(status),
                "inputs_specs": inputs,
                "outputs_specs": outputs,
            }
            for key, rank, function, worker, status in tasks
            for name, inputs, outputs in [functions[function]]
        ],
        "edges": _wire_edges(plan_key),
    }


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
