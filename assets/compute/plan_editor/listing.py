"""How a draft is shown: its tasks as a list and as a graph, and what is wrong with them."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ...common.errors import Problem
from ...common.parsing import as_key
from ...common.text.reading import counted
from ..drawing import EDGES, Drawing, Edge, Node, draw
from ..models import ComputePlan, Task, TaskInput
from .draft import Draft, inputs_of, key_of, outputs_of, parents_of, path_of, place_of
from .names import Names

# Longer drafts are listed in part, and not drawn: nobody would find anything in them.
LISTED = 100
DRAWN = 500
# Enough to mend a plan by.
TOLD = 500


@dataclass(slots=True)
class Row:
    """One task of the draft in the list."""

    place: int
    number: int
    key: str
    name: str
    worker: str
    rank: int | None
    tag: str
    inputs: list[tuple[str, str]]
    outputs: list[tuple[str, str]]
    children: list[int]
    problems: list["Told"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Told:
    """One problem of one task: where it is, for people and as a path, and what is wrong."""

    place: int
    number: int
    task: str
    where: str
    path: str
    message: str


def shown_places(draft: Draft, problems: Sequence[Problem]) -> list[int]:
    """Return which tasks are listed: the first ones, and some of those that need mending."""
    first = range(min(LISTED, len(draft)))
    faulty = {place for problem in problems if (place := place_of(problem)) is not None}
    return [*first, *sorted(place for place in faulty if place >= LISTED)[:LISTED]]


def told(problems: Iterable[Problem], draft: Draft, names: Names) -> list[Told]:
    found = []
    for problem in problems:
        place = place_of(problem)
        if place is not None and place < len(draft):
            key = str(key_of(draft[place]) or "")[:8]
            label = f"{names.task(place)} {key}".strip()
            where = _where(path_of(problem), draft[place])
            said = names.in_words(problem.sentence)
            found.append(Told(place, place + 1, label, where, problem.field, said))
    return found


def _where(path: str, task: Mapping[str, Any]) -> str:
    """Say in words which part of a task a path names."""
    if found := re.match(r"inputs\[(\d+)\]", path):
        inputs = task.get("inputs")
        place = int(found[1])
        ref = inputs[place] if isinstance(inputs, list) and place < len(inputs) else None
        name = ref.get("identifier") if isinstance(ref, Mapping) else None
        return f"input {name or place + 1}"
    if path.startswith("outputs."):
        rest = path.removeprefix("outputs.")
        name = next((name for name in outputs_of(task) if rest.startswith(name)), rest)
        return f"output {name}"
    words = {"function_key": "function", "task_id": "key", "compute_plan_key": "compute plan"}
    return words.get(path, path.replace("_", " "))


def rows_of(
    draft: Draft, names: Names, places: Iterable[int], problems: Iterable[Told]
) -> list[Row]:
    ranks = draft.ranks()
    children: dict[UUID, list[int]] = defaultdict(list)
    for place, task in enumerate(draft):
        for parent in set(parents_of(task)):
            children[parent].append(place + 1)
    wrong: dict[int, list[Told]] = defaultdict(list)
    for problem in problems:
        wrong[problem.place].append(problem)
    return [_row(place, draft, names, ranks, children, wrong[place]) for place in places]


def _row(
    place: int,
    draft: Draft,
    names: Names,
    ranks: Mapping[UUID, int],
    children: Mapping[UUID, list[int]],
    problems: list[Told],
) -> Row:
    task = draft[place]
    key = key_of(task)
    return Row(
        place=place,
        number=place + 1,
        key=str(key or ""),
        name=names.function(task) or "unknown function",
        worker=str(task.get("worker") or ""),
        rank=ranks.get(key) if key else None,
        tag=str(task.get("tag") or ""),
        inputs=names.inputs(task),
        outputs=[(name, _may(output)) for name, output in outputs_of(task).items()],
        children=children.get(key, []) if key else [],
        problems=problems,
    )


def _may(output: Mapping[str, Any]) -> str:
    """Say who may use an output, and whether it stays."""
    value = output.get("permissions")
    value = value if isinstance(value, Mapping) else {}
    ids = value.get("authorized_ids")
    listed = ", ".join(map(str, ids)) if isinstance(ids, list) else ""
    who = "public" if value.get("public") is True else listed or "own organisation"
    transient = output.get("transient") or output.get("is_transient")
    return f"{who}, not kept" if transient else who


# --- The graph ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Graph:
    """A drawn draft, and what it shows in a sentence; the list beside it has the same tasks."""

    drawing: Drawing
    summary: str


def graph_of(draft: Draft, names: Names, plan: ComputePlan | None = None) -> Graph | None:
    """Draw the draft, below what is registered in its plan already; None when it is too large."""
    if len(draft) > DRAWN:
        return None
    nodes, edges = _registered(plan, DRAWN - len(draft)) if plan else ([], [])
    for place, task in enumerate(draft):
        if key := key_of(task):
            worker = str(task.get("worker") or "")
            url = f"#task-{place + 1}" if place < LISTED else ""
            nodes.append(Node(str(key), names.task(place), worker, "draft", worker, url))
            edges += _edges(key, task)
    if len(edges) > EDGES:
        return None
    # Keys that occur twice are told as a problem; one of them is drawn.
    drawing = draw(list({node.key: node for node in nodes}.values()), edges)
    tasks, arrows = counted(len(draft), "task"), counted(drawing.edge_count, "arrow")
    return Graph(drawing, f"Graph of {tasks} of the draft and {arrows}")


def _edges(key: UUID, task: Mapping[str, Any]) -> list[Edge]:
    return [
        Edge(str(parent), str(key), str(ref.get("identifier", "")))
        for ref in inputs_of(task)
        if (parent := as_key(ref.get("parent_task_key")))
    ]


def _registered(plan: ComputePlan, limit: int) -> tuple[list[Node], list[Edge]]:
    """Return the plan's registered tasks as quiet boxes, unless they are too many; two queries."""
    if plan.task_count > limit:
        return [], []
    tasks = Task.objects.filter(compute_plan=plan).order_by("rank", "creation_date", "pk")
    nodes = [
        Node(str(key), name, worker, "registered", worker, title=f"{name}, registered")
        for key, name, worker in tasks.values_list("key", "function__name", "worker_id")
    ]
    rows = TaskInput.objects.filter(task__compute_plan=plan, parent_task__isnull=False)
    edges = [
        Edge(str(parent), str(key), identifier)
        for key, parent, identifier in rows.order_by("task", "position").values_list(
            "task_id", "parent_task_id", "identifier"
        )
    ]
    return nodes, edges
