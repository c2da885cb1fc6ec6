"""How a draft is shown: its tasks as a list and as a graph, and their problems."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import gettext as _, ngettext

from ...common.errors import Problem
from ...common.parsing import as_key
from ..drawing import EDGES, Edge, Graph, Node, draw
from ..models import ComputePlan, Task, TaskInput
from .draft import (
    Draft,
    inputs_of,
    is_transient,
    key_of,
    outputs_of,
    path_of,
    permissions_of,
    place_of,
)
from .names import Names

# Longer drafts are listed in part, and not drawn: a drawing would be too dense to read.
MAX_LISTED_TASKS = 100
MAX_DRAWN_TASKS = 500
MAX_LISTED_PROBLEMS = 500


class RowProblem(NamedTuple):
    """One problem of one task: its place in words and as a path, and the message."""

    place: int
    number: int
    task: str
    where: str
    path: str
    message: str


def listed_places(draft: Draft, problems: Sequence[Problem]) -> list[int]:
    """Return the places of the tasks to list: the first ones, and others that have problems."""
    first = range(min(MAX_LISTED_TASKS, len(draft)))
    wrong = {place for problem in problems if (place := place_of(problem)) is not None}
    others = sorted(place for place in wrong if place >= MAX_LISTED_TASKS)
    return [*first, *others[:MAX_LISTED_TASKS]]


def row_problems(problems: Iterable[Problem], draft: Draft, names: Names) -> list[RowProblem]:
    """Return the problems of tasks as the page lists them."""
    found = []
    for problem in problems:
        place = place_of(problem)
        if place is not None and place < len(draft):
            task = draft[place]
            label = f"{names.task(place)} {str(key_of(task) or '')[:8]}".strip()
            where = _where(path_of(problem), task)
            message = names.in_words(problem.sentence)
            found.append(RowProblem(place, place + 1, label, where, problem.field, message))
    return found


def _where(path: str, task: Mapping[str, Any]) -> str:
    """Return in words which part of a task a path names."""
    if found := re.match(r"inputs\[(\d+)\]", path):
        inputs, place = task.get("inputs"), int(found[1])
        ref = inputs[place] if isinstance(inputs, list) and place < len(inputs) else None
        name = ref.get("identifier") if isinstance(ref, Mapping) else None
        return _("input %(name)s") % {"name": name or place + 1}
    if path.startswith("outputs."):
        rest = path.removeprefix("outputs.")
        name = next((name for name in outputs_of(task) if rest.startswith(name)), rest)
        return _("output %(name)s") % {"name": name}
    words = {
        "function_key": _("function"),
        "task_id": _("key"),
        "compute_plan_key": _("compute plan"),
    }
    return words.get(path, path.replace("_", " "))


def list_rows(
    draft: Draft, names: Names, places: Iterable[int], problems: Iterable[RowProblem]
) -> list[dict[str, Any]]:
    """Return the tasks in these places as the page lists them."""
    ranks, children = draft.ranks(), draft.children()
    problems_at: dict[int, list[RowProblem]] = defaultdict(list)
    for problem in problems:
        problems_at[problem.place].append(problem)
    rows = []
    for place in places:
        task = draft[place]
        key = key_of(task)
        rows.append(
            {
                "place": place,
                "number": place + 1,
                "name": names.function(task) or _("unknown function"),
                "worker": str(task.get("worker") or ""),
                "rank": ranks.get(key) if key else None,
                "tag": str(task.get("tag") or ""),
                "inputs": names.inputs(task),
                "outputs": [(name, _access(output)) for name, output in outputs_of(task).items()],
                "children": [child + 1 for child in children.get(key, ())] if key else [],
                "problems": problems_at[place],
            }
        )
    return rows


def _access(output: Mapping[str, Any]) -> str:
    """Return who can use an output, and whether it is transient."""
    permissions = permissions_of(output)
    who = _("public") if permissions.public else ", ".join(permissions.authorized_ids)
    who = who or _("own organisation")
    return _("%(who)s, transient") % {"who": who} if is_transient(output) else who


# --- The graph ------------------------------------------------------------------------------------


def draw_draft(draft: Draft, names: Names, plan: ComputePlan | None = None) -> Graph | None:
    """Return the drawing of the draft and of its plan's registered tasks; None if too large."""
    if len(draft) > MAX_DRAWN_TASKS:
        return None
    nodes, edges = _registered(plan, MAX_DRAWN_TASKS - len(draft)) if plan else ([], [])
    for place, task in enumerate(draft):
        if key := key_of(task):
            worker = str(task.get("worker") or "")
            url = f"#task-{place + 1}" if place < MAX_LISTED_TASKS else ""
            nodes.append(Node(str(key), names.task(place), worker, "draft", worker, url))
            edges += _edges(key, task)
    if len(edges) > EDGES:
        return None
    # A key that occurs twice is a problem, reported as such; one of its tasks is drawn.
    drawing = draw(list({node.key: node for node in nodes}.values()), edges)
    summary = _("Graph of the draft: %(tasks)s, %(arrows)s") % {
        "tasks": ngettext("%(count)d task", "%(count)d tasks", len(draft)) % {"count": len(draft)},
        "arrows": ngettext("%(count)d arrow", "%(count)d arrows", drawing.edge_count)
        % {"count": drawing.edge_count},
    }
    return Graph(drawing, summary)


def _edges(key: UUID, task: Mapping[str, Any]) -> list[Edge]:
    return [
        Edge(str(parent), str(key), str(ref.get("identifier", "")))
        for ref in inputs_of(task)
        if (parent := as_key(ref.get("parent_task_key")))
    ]


def _registered(plan: ComputePlan, limit: int) -> tuple[list[Node], list[Edge]]:
    """Return the plan's registered tasks, unless they are too many; two queries."""
    if plan.task_count > limit:
        return [], []
    tasks = Task.objects.filter(compute_plan=plan).order_by("rank", "creation_date", "pk")
    title = _("%(function)s, registered")
    nodes = [
        Node(str(key), name, worker, "registered", worker, title=title % {"function": name})
        for key, name, worker in tasks.values_list("key", "function__name", "worker_id")
    ]
    rows = TaskInput.objects.filter(task__compute_plan=plan, parent_task__isnull=False)
    columns = ("parent_task_id", "task_id", "identifier")
    edges = [
        Edge(str(parent), str(key), identifier)
        for parent, key, identifier in rows.order_by("task", "position").values_list(*columns)
    ]
    return nodes, edges
