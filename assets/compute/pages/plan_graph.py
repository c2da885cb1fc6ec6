"""The graph of a registered plan: drawn, in a sentence, and as the rows of a table."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe

from ...common.pages.base import url_of
from ...common.pages.markup import short, tag
from ...common.text.reading import counted
from ..drawing import EDGES, Drawing, Edge, Node, draw
from ..models import ComputePlan
from ..queries.graphs import GraphTask, drawn_edges, graph_tasks
from .base import LABELS, SLUGS, shares

# Plans of so many tasks are drawn within their page, larger ones when they are looked at.
MAX_INLINE_TASKS, MAX_DRAWN_TASKS = 200, 2000


@dataclass(frozen=True)
class PlanGraph:
    """The graph of a plan: drawn, in a sentence, and as the rows of a table."""

    drawing: Drawing
    summary: str
    rows: SafeString


def plan_graph(plan: ComputePlan) -> PlanGraph | None:
    """Draw a plan's graph, unless it has too many edges; two queries."""
    edges = drawn_edges([plan.pk])
    if len(edges) > EDGES:
        return None
    tasks = graph_tasks(plan.pk)
    # A page of a thousand tasks spares a thousand look-ups of one URL.
    prefix, suffix = url_of("task", "KEY").split("KEY")
    urls = {task.key: f"{prefix}{task.key}{suffix}" for task in tasks}
    nodes = [
        Node(
            key=task.key,
            label=task.function,
            sub=task.worker,
            status=SLUGS[task.status],
            group=task.worker,
            url=urls[task.key],
            title=f"{task.function} on {task.worker}\n{LABELS[task.status]}, rank {task.rank}",
            rank=task.rank,
        )
        for task in tasks
    ]
    drawn = draw(
        nodes,
        (
            Edge(parent, child, output if output == name else f"{output} → {name}")
            for parent, output, child, name in edges
        ),
    )
    return PlanGraph(drawn, _summary(tasks), _rows(tasks, edges, urls))


def _summary(tasks: Sequence[GraphTask]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for task in tasks:
        counts[task.status] += 1
    ranks, workers = {task.rank for task in tasks}, {task.worker for task in tasks}
    said = ", ".join(f"{share.tasks} {share.label}" for share in shares(counts))
    return (
        f"Graph of {counted(len(tasks), 'task')} in {counted(len(ranks), 'rank')} "
        f"on {counted(len(workers), 'worker')}: {said}."
    )


def _rows(
    tasks: Sequence[GraphTask], edges: Sequence[tuple[Any, ...]], urls: Mapping[str, str]
) -> SafeString:
    """Return the rows of the table that tells what the drawing shows, in one string: they may
    be thousands.
    """
    parents: dict[str, dict[str, None]] = defaultdict(dict)
    for parent, _output, child, _input in edges:
        parents[child][parent] = None
    tags = {status: tag(label) for status, label in LABELS.items()}
    links = {
        task.key: f'<a class="mono" href="{urls[task.key]}">{short(task.key)}</a>' for task in tasks
    }
    names = {name: escape(name) for task in tasks for name in (task.function, task.worker)}
    rows = [
        f"<tr><td>{links[task.key]}</td><td>{names[task.function]}</td>"
        f'<td>{names[task.worker]}</td><td class="number">{task.rank}</td>'
        f"<td>{tags[task.status]}</td>"
        f"<td>{', '.join([links[key] for key in parents[task.key]])}</td></tr>"
        for task in tasks
    ]
    return mark_safe("\n".join(rows))  # noqa: S308  names were escaped; the rest is our own
