"""What pages of plans and tasks share: how long something took, counts by status, the graph."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.template.defaultfilters import slugify
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from ..common.markup import tag
from .drawing import Drawing, Edge, Node, draw
from .models import ComputePlan
from .queries import GraphTask, counts_by_rank, graph_edges, graph_tasks
from .statuses import TaskStatus

# Plans of so many tasks are drawn within their page, larger ones when they are looked at.
INLINE, DRAWN = 200, 2000
# How many ranks the table by rank and worker shows.
RANKS = 200
# The width of the bar of statuses, in units of its own.
BAR = 1000

LABELS = {status.value: str(status.label) for status in TaskStatus}
SLUGS = {status: slugify(label) for status, label in LABELS.items()}


def lasted(start: datetime | None, end: datetime | None) -> str:
    """Return how long something took, or has taken so far; blank for what has not started."""
    if start is None:
        return ""
    seconds = int(((end or timezone.now()) - start) / timedelta(seconds=1))
    minutes, seconds = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [f"{days} d" if days else "", f"{hours} h" if days or hours else ""]
    parts += [f"{minutes} min" if days or hours or minutes else "", f"{seconds} s"]
    return " ".join([part for part in parts if part][:2])


class Share(NamedTuple):
    """The part of a plan's tasks that is in one status, and its piece of the bar."""

    status: str
    label: str
    slug: str
    count: int
    x: int
    width: int


def shares(counts: Mapping[str, int]) -> list[Share]:
    """Return the statuses that some task has, with the finished ones first."""
    order = [
        TaskStatus.DONE,
        TaskStatus.FAILED,
        TaskStatus.CANCELED,
        TaskStatus.EXECUTING,
        TaskStatus.BUILDING,
        TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
        TaskStatus.WAITING_FOR_PARENT_TASKS,
        TaskStatus.WAITING_FOR_BUILDER_SLOT,
    ]
    total, before, found = sum(counts.values()), 0, []
    for status in order:
        if count := counts.get(status, 0):
            x, end = (round(part * BAR / total) for part in (before, before + count))
            found.append(
                Share(status.value, LABELS[status], SLUGS[status], count, x, max(1, end - x))
            )
            before += count
    return found


@dataclass(frozen=True)
class RankTable:
    """A plan's tasks counted by rank and worker: a row is (rank, a cell for each worker)."""

    workers: Sequence[str]
    rows: Sequence[tuple[int, Sequence[Sequence[Share]]]]
    more: int


def rank_table(plan_key: UUID) -> RankTable:
    """Count a plan's tasks by rank and worker; one query."""
    counts = counts_by_rank(plan_key)
    workers = sorted({worker for row in counts.values() for worker in row})
    rows = [
        (rank, [shares(counts[rank].get(worker, {})) for worker in workers])
        for rank in sorted(counts)[:RANKS]
    ]
    return RankTable(workers, rows, max(0, len(counts) - RANKS))


@dataclass(frozen=True)
class PlanGraph:
    """The graph of a plan: drawn, in a sentence, and as the rows of a table."""

    drawing: Drawing
    summary: str
    rows: SafeString


def plan_graph(plan: ComputePlan) -> PlanGraph:
    """Draw a plan's graph; two queries."""
    tasks, edges = graph_tasks(plan.pk), graph_edges(plan.pk)
    # A page of a thousand tasks spares a thousand look-ups of one URL.
    prefix, suffix = reverse("task", args=["KEY"]).split("KEY")
    nodes = [
        Node(
            key=str(task.key),
            label=task.function,
            sub=task.worker,
            status=SLUGS[task.status],
            group=task.worker,
            url=f"{prefix}{task.key}{suffix}",
            title=f"{task.function} on {task.worker}\n{LABELS[task.status]}, rank {task.rank}",
            rank=task.rank,
        )
        for task in tasks
    ]
    drawn = draw(
        nodes,
        (
            Edge(str(parent), str(child), output if output == name else f"{output} → {name}")
            for parent, output, child, name in edges
        ),
    )
    return PlanGraph(drawn, _summary(tasks), _rows(tasks, edges, prefix, suffix))


def _summary(tasks: Sequence[GraphTask]) -> str:
    counts: dict[str, int] = defaultdict(int)
    for task in tasks:
        counts[task.status] += 1
    ranks, workers = {task.rank for task in tasks}, {task.worker for task in tasks}
    said = ", ".join(f"{share.count} {share.label}" for share in shares(counts))
    return (
        f"Graph of {_number(len(tasks), 'task')} in {_number(len(ranks), 'rank')} "
        f"on {_number(len(workers), 'worker')}: {said}."
    )


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _rows(
    tasks: Sequence[GraphTask], edges: Sequence[tuple[Any, ...]], prefix: str, suffix: str
) -> SafeString:
    """Return the rows of the table that tells what the drawing shows."""
    parents: dict[UUID, dict[UUID, None]] = defaultdict(dict)
    for parent, _, child, _ in edges:
        parents[child][parent] = None
    tags = {status: tag(label) for status, label in LABELS.items()}

    def link(key: UUID) -> SafeString:
        return format_html(
            '<a class="mono" href="{}{}{}">{}</a>', prefix, key, suffix, str(key)[:8]
        )

    links = {task.key: link(task.key) for task in tasks}
    return format_html_join(
        "\n",
        '<tr><td>{}</td><td>{}</td><td>{}</td><td class="number">{}</td>'
        "<td>{}</td><td>{}</td></tr>",
        (
            (
                links[task.key],
                task.function,
                task.worker,
                task.rank,
                tags[task.status],
                format_html_join(", ", "{}", ((links[key],) for key in parents[task.key])),
            )
            for task in tasks
        ),
    )
