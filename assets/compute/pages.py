"""What pages of plans and tasks share: how long something took, counts by status, the graph."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Any, NamedTuple
from uuid import UUID

from django.template.defaultfilters import slugify
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from ..common.pages.base import AssetKindMixin, url_of
from ..common.pages.markup import short, tag
from ..common.text.reading import counted
from .drawing import EDGES, Drawing, Edge, Node, draw
from .models import ComputePlan, Task
from .queries import GraphTask, counts_by_rank, drawn_edges, graph_tasks
from .statuses import TaskStatus

# Plans of so many tasks are drawn within their page, larger ones when they are looked at.
INLINE, DRAWN = 200, 2000
# How many ranks and workers the table by rank and worker shows.
RANKS, WORKERS = 200, 30
# The width of the bar of statuses, and of its smallest piece, in units of their own.
BAR, LEAST = 1000, 10


class OfPlans(AssetKindMixin):
    queryset = ComputePlan.objects.select_related("creator")
    noun, noun_plural = _("compute plan"), _("compute plans")
    empty_title = _("No compute plans yet")
    register_label = _("Register a compute plan")
    list_url, detail_url = "compute-plans", "compute-plan"
    register_url, rename_url = "compute-plan-new", "compute-plan-rename"


class OfTasks(AssetKindMixin):
    queryset = Task.objects.select_related("function", "compute_plan")
    noun, noun_plural = _("task"), _("tasks")
    empty_title = _("No tasks yet")
    register_label = _("Register a task")
    list_url, detail_url = "tasks", "task"
    register_url = "task-new"


LABELS = {status.value: str(status.label) for status in TaskStatus}
SLUGS = {status: slugify(label) for status, label in LABELS.items()}
# How statuses are told: the finished ones first.
ORDER = [
    status.value
    for status in (
        TaskStatus.DONE,
        TaskStatus.FAILED,
        TaskStatus.CANCELED,
        TaskStatus.EXECUTING,
        TaskStatus.BUILDING,
        TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
        TaskStatus.WAITING_FOR_PARENT_TASKS,
        TaskStatus.WAITING_FOR_BUILDER_SLOT,
    )
]


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
    tasks: int
    x: int
    width: int


def shares(counts: Mapping[str, int]) -> list[Share]:
    """Return the statuses that some task has, with the finished ones first."""
    present = [(status, counts[status]) for status in ORDER if counts.get(status)]
    total = sum(count for _, count in present)
    # However few they are, they are seen.
    widths = [max(LEAST, count * BAR / total) for _, count in present]
    scale, before, found = BAR / (sum(widths) or 1), 0.0, []
    for (status, count), width in zip(present, widths, strict=True):
        x, end = round(before), round(before + width * scale)
        found.append(Share(status, LABELS[status], SLUGS[status], count, x, end - x))
        before += width * scale
    return found


@dataclass(frozen=True)
class RankTable:
    """A plan's tasks counted by rank and worker: a row for each rank, a cell for each worker."""

    workers: Sequence[str]
    rows: SafeString
    more: int
    more_workers: int


def rank_table(plan_key: UUID) -> RankTable:
    """Count a plan's tasks by rank and worker; one query."""
    counts = counts_by_rank(plan_key)
    all_workers = sorted({worker for row in counts.values() for worker in row})
    workers = all_workers[:WORKERS]
    list_url = f"{reverse('tasks')}?compute_plan_key={plan_key}&amp;rank="
    rows = [
        f'<tr><th scope="row" class="number"><a href="{list_url}{rank}">{rank}</a></th>'
        + "".join([f"<td>{_counted(counts[rank].get(worker, {}))}</td>" for worker in workers])
        + "</tr>"
        for rank in sorted(counts)[:RANKS]
    ]
    html = mark_safe("\n".join(rows))  # noqa: S308  numbers and tags
    more_workers = len(all_workers) - len(workers)
    return RankTable(workers, html, len(counts) - len(rows), more_workers)


def function_rows(functions: Iterable[Mapping[str, Any]], plan_key: UUID) -> SafeString:
    """Return the rows of the table of a plan's functions, as `functions_of` has them."""
    list_url = f"{reverse('tasks')}?compute_plan_key={plan_key}&amp;function_key="
    rows = [
        f'<tr><td><a href="{url_of("function", function["function_id"])}">'
        f"{escape(function['name'])}</a></td>"
        f'<td class="number"><a href="{list_url}{function["function_id"]}">'
        f"{function['count']:,}</a></td></tr>"
        for function in functions
    ]
    return mark_safe("\n".join(rows))  # noqa: S308  names were escaped; the rest is our own


def _counted(counts: Mapping[str, int]) -> SafeString:
    """Return a tag for each status, with how many tasks are in it."""
    tags = [
        tag(f"{counts[status]:,} {LABELS[status]}", SLUGS[status])
        for status in ORDER
        if status in counts
    ]
    return mark_safe(" ".join(tags))  # noqa: S308  tags are safe


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
