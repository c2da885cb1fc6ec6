"""The graph of a plan: its tasks and the edges between them, for pages and for the API."""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet

from ...common.db.compiled import Compiled, key_text
from ..drawing import EDGES
from ..models import Task, TaskInput


class GraphTask(NamedTuple):
    """A task in a graph."""

    key: str
    rank: int
    function: str
    worker: str
    status: str


def graph_tasks(plan_key: UUID) -> list[GraphTask]:
    """Return a plan's tasks by rank; one query."""
    return list(map(GraphTask._make, _drawn_tasks([plan_key])))


@Compiled
def _drawn_tasks(plan_keys: Collection[UUID]) -> QuerySet:
    rows = Task.objects.filter(compute_plan_id__only=plan_keys).order_by("rank", "worker_id", "key")
    return rows.values_list(key_text("key"), "rank", "function__name", "worker_id", "status")


# A graph of more tasks is not readable.
MAX_GRAPH_TASKS = 5000


@Compiled
def graph_rows(plan_keys: Collection[UUID]) -> QuerySet:
    """Tasks of the API's graph by rank; one more than the maximum, to detect an excess."""
    rows = Task.objects.filter(compute_plan_id__only=plan_keys).order_by("rank", "key")
    values = rows.values_list(
        *(key_text("key"), "rank", key_text("function_id"), "worker_id", "status")
    )
    return values[: MAX_GRAPH_TASKS + 1]


@Compiled
def edge_rows(plan_keys: Collection[UUID]) -> QuerySet:
    """Edges inside a plan: parent, output, child, input."""
    rows = TaskInput.objects.filter(
        task__compute_plan_id__only=plan_keys, parent_task__compute_plan_id__only=plan_keys
    )
    return rows.order_by("task__rank", "task_id", "position").values_list(
        *(key_text("parent_task_id"), "parent_output_identifier"),
        *(key_text("task_id"), "identifier"),
    )


@Compiled
def drawn_edges(plan_keys: Collection[UUID]) -> QuerySet:
    """The same; one more than the maximum that is drawn, to detect an excess."""
    return edge_rows.build(plan_keys)[: EDGES + 1]
