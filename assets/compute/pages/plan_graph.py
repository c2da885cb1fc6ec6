"""The graph of a registered plan: drawn, in a sentence, and as the rows of a table."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _, ngettext

from ...common.pages.base import url_of
from ...common.pages.markup import short
from ..drawing import EDGES, Edge, Graph, Node, draw
from ..models import ComputePlan
from ..queries.graphs import GraphTask, drawn_edges, graph_tasks
from ..statuses import TaskStatus
from .base import SLUGS, shares, status_tag

# Plans of at most this many tasks are drawn on their page; larger ones when they are opened.
MAX_INLINE_TASKS, MAX_DRAWN_TASKS = 200, 2000


def plan_graph(plan: ComputePlan) -> Graph | None:
    """Return a plan's graph; None if it has too many edges. Two queries."""
    edges = drawn_edges([plan.pk])
    if len(edges) > EDGES:
        return None
    tasks = graph_tasks(plan.pk)
    # One look-up of the URL serves a thousand tasks.
    prefix, suffix = url_of("task", "KEY").split("KEY")
    urls = {task.key: f"{prefix}{task.key}{suffix}" for task in tasks}
    labels = {value: str(label) for value, label in TaskStatus.choices}
    title = _("%(function)s on %(worker)s\n%(status)s, rank %(rank)d")
    nodes = [
        Node(
            key=task.key,
            label=task.function,
            sub=task.worker,
            status=SLUGS[task.status],
            group=task.worker,
            url=urls[task.key],
            title=title % {**task._asdict(), "status": labels[task.status]},
            rank=task.rank,
        )
        for task in tasks
    ]
    arrows = [
        Edge(parent, child, output if output == name else f"{output} → {name}")
        for parent, output, child, name in edges
    ]
    return Graph(draw(nodes, arrows), _summary(tasks), _rows(tasks, edges, urls))


def _summary(tasks: Sequence[GraphTask]) -> str:
    counts = Counter(task.status for task in tasks)
    ranks, workers = {task.rank for task in tasks}, {task.worker for task in tasks}
    count = {"count": len(tasks)}
    return _("Graph of %(tasks)s in %(ranks)s on %(workers)s: %(statuses)s.") % {
        "tasks": ngettext("%(count)d task", "%(count)d tasks", len(tasks)) % count,
        "ranks": ngettext("%(count)d rank", "%(count)d ranks", len(ranks)) % {"count": len(ranks)},
        "workers": ngettext("%(count)d worker", "%(count)d workers", len(workers))
        % {"count": len(workers)},
        "statuses": ", ".join(f"{share.tasks} {share.label}" for share in shares(counts)),
    }


def _rows(
    tasks: Sequence[GraphTask], edges: Sequence[tuple[Any, ...]], urls: Mapping[str, str]
) -> SafeString:
    """Return the rows of the table of what the drawing shows, as one string: they may be many."""
    parents: dict[str, dict[str, None]] = defaultdict(dict)
    for parent, _output, child, _input in edges:
        parents[child][parent] = None
    tags = {status: status_tag(status) for status in {task.status for task in tasks}}
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
