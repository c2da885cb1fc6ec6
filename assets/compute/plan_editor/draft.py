"""The tasks of a plan before they are registered: a list of JSON objects, not yet validated."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import orjson

from ...common.errors import Problem
from ...common.forms.fields import read_json
from ...common.parsing import as_key
from ...permissions.specs import PermissionsSpec
from ..graph import sort_by_rank
from ..snippets import task_json
from ..specs import TaskSpec, parse_tasks

# Longer lists are too long to read: they are written in one line.
MAX_INDENTED = 500

_TASK = re.compile(r"^tasks\[(\d+)\]\.?")


class Draft:
    """The tasks as typed, pasted or built; any of them may be invalid."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items = list(items)

    @classmethod
    def read(cls, text: str) -> "Draft":
        """Return the draft of a JSON list of tasks, or of an object that has one.

        Raises:
            ValidationError: the text is not JSON.
        """
        body = read_json(text) if text.strip() else []
        items = body.get("tasks") if isinstance(body, Mapping) else body
        return cls(items if isinstance(items, list) else ())

    @classmethod
    def of(cls, specs: Iterable[TaskSpec]) -> "Draft":
        return cls(task_json(spec, "task_id") for spec in specs)

    def text(self, *, indent: bool = False) -> str:
        """Return the JSON; indented for people, unless it is too long."""
        if not self.items:
            return ""
        indent = indent and len(self.items) <= MAX_INDENTED
        return orjson.dumps(self.items, option=orjson.OPT_INDENT_2 if indent else None).decode()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return map(as_task, self.items)

    def __getitem__(self, place: int) -> Mapping[str, Any]:
        return as_task(self.items[place])

    def place(self, text: str) -> int | None:
        """Return the place that a button names, if there is a task."""
        place = int(text) if text.isdecimal() and len(text) < 8 else -1
        return place if 0 <= place < len(self) else None

    def place_of_key(self, key: UUID | None) -> int | None:
        keys = [key_of(task) for task in self]
        return keys.index(key) if key and key in keys else None

    # --- Changes ----------------------------------------------------------------------------

    def put(self, task: Mapping[str, Any], place: int | None) -> int:
        """Replace the task with the same key, or add this one at the end; return its place."""
        key = key_of(task)
        if place is None or place >= len(self) or key_of(self[place]) != key:
            place = self.place_of_key(key)
        if place is None:
            place = len(self)
        self._replace(place, place + 1, task)
        return place

    def copy(self, place: int) -> int:
        """Insert a copy with a new key behind a task; return its place."""
        copied = {name: value for name, value in self[place].items() if name != "key"}
        self.insert(place + 1, {**copied, "task_id": str(uuid4())})
        return place + 1

    def take(self, place: int) -> Any:
        """Remove a task and return it."""
        item = self.items[place]
        self._replace(place, place + 1)
        return item

    def insert(self, place: int, item: Any) -> None:
        self._replace(place, place, item)

    def _replace(self, start: int, stop: int, *items: Any) -> None:
        self.items[start:stop] = items
        self.__dict__.pop("parsed", None)

    # --- The graph --------------------------------------------------------------------------

    def ranks(self) -> dict[UUID, int]:
        """Return the ranks of the tasks within the draft; none for tasks in or below a cycle."""
        keys = {key for task in self if (key := key_of(task))}
        parents = {
            key: [parent for parent in parents_of(task) if parent in keys]
            for task in self
            if (key := key_of(task))
        }
        return sort_by_rank(parents, {})

    def children(self) -> dict[UUID, list[int]]:
        """Return the places of the tasks that take an output of a task, by that task's key."""
        found: dict[UUID, list[int]] = defaultdict(list)
        for place, task in enumerate(self):
            for parent in set(parents_of(task)):
                found[parent].append(place)
        return found

    def with_descendants(self, key: UUID | None) -> set[UUID]:
        """Return the keys of this task and of all that depend on it."""
        children, waiting = self.children(), [key]
        found: set[UUID] = set()
        while waiting:
            if (current := waiting.pop()) and current not in found:
                found.add(current)
                waiting += [key_of(self[place]) for place in children.get(current, ())]
        return found

    # --- Validation -------------------------------------------------------------------------

    @cached_property
    def parsed(self) -> tuple[list[TaskSpec], list[int], list[Problem]]:
        """The tasks that can be read, their places, and the problems of the others."""
        specs: list[TaskSpec] = []
        places: list[int] = []
        problems: list[Problem] = []
        for place, item in enumerate(self.items):
            read, wrong = parse_tasks({"tasks": [item]})
            specs += read
            places += [place] * len(read)
            problems += [_moved(problem, place) for problem in wrong]
        return specs, places, problems


def validate_draft(
    draft: Draft, check: Callable[[list[TaskSpec]], Iterable[Problem]]
) -> list[Problem]:
    """Return all problems of a draft, of which `check` finds those of tasks that can be read.

    Paths count the tasks as the draft does.
    """
    specs, places, unread_problems = draft.parsed
    read = {spec.key for spec in specs}
    unread = {str(key) for task in draft if (key := key_of(task)) and key not in read}
    problems = list(unread_problems)
    for problem in check(specs):
        if (place := place_of(problem)) is None:
            problems.append(problem)
        # A parent that could not be read is reported once, not as unknown to its children.
        elif not (
            problem.field.endswith("parent_task_key")
            and any(key in problem.message for key in unread)
        ):
            problems.append(_moved(problem, places[place]))
    return sorted(problems, key=lambda problem: -1 if (at := place_of(problem)) is None else at)


def _moved(problem: Problem, place: int) -> Problem:
    """Return the problem of ``tasks[n]`` as one of the task in this place."""
    _, bracket, rest = problem.field.partition("]")
    return replace(problem, field=f"tasks[{place}{bracket}{rest}")


def place_of(problem: Problem) -> int | None:
    """Return the place of the task that the problem is about."""
    found = _TASK.match(problem.field)
    return int(found[1]) if found else None


def path_of(problem: Problem) -> str:
    """Return the path within the task, if the problem is about a task."""
    return _TASK.sub("", problem.field, count=1)


# --- What a task's JSON has, as far as it can be read ---------------------------------------------


def as_task(item: Any) -> Mapping[str, Any]:
    return item if isinstance(item, Mapping) else {}


def key_of(task: Mapping[str, Any]) -> UUID | None:
    """Return the key of a task, under either of its names."""
    key = task.get("key")
    return as_key(task.get("task_id") if key is None else key)


def function_of(task: Mapping[str, Any]) -> UUID | None:
    return as_key(task.get("function_key"))


def inputs_of(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    inputs = task.get("inputs")
    return [ref for ref in inputs if isinstance(ref, Mapping)] if isinstance(inputs, list) else []


def outputs_of(task: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    found = as_task(task.get("outputs")).items()
    return {name: output for name, output in found if isinstance(output, Mapping)}


def parents_of(task: Mapping[str, Any]) -> list[UUID]:
    keys = (as_key(ref.get("parent_task_key")) for ref in inputs_of(task))
    return [key for key in keys if key]


def permissions_of(output: Mapping[str, Any]) -> PermissionsSpec:
    value = as_task(output.get("permissions"))
    ids = value.get("authorized_ids")
    ids = [item for item in ids if isinstance(item, str)] if isinstance(ids, list) else []
    return PermissionsSpec(value.get("public") is True, tuple(ids))


def is_transient(output: Mapping[str, Any]) -> bool:
    return bool(output.get("transient") or output.get("is_transient"))
