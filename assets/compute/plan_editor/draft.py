"""The tasks of a plan before they are registered: a list of JSON objects, judged by nobody yet."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import orjson

from ...common.errors import Problem
from ...common.forms.fields import read_json
from ...common.parsing import as_key
from ..registration.graph import sort_by_rank
from ..snippets import task_json
from ..specs import TaskSpec, parse_tasks

# Longer lists are no reading: they are kept in one line.
MAX_SPREAD = 500


class Draft:
    """The tasks as they were typed, pasted or built; any of them may be nonsense."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items = list(items)
        # What reading it found, until it changes.
        self._read: tuple[list[TaskSpec], list[int], list[Problem]] | None = None

    @classmethod
    def read(cls, text: str) -> "Draft":
        """Read a list of tasks or an object that holds one; raise ValidationError for no JSON."""
        body = read_json(text) if text.strip() else []
        items = body.get("tasks") if isinstance(body, Mapping) else body
        return cls(items if isinstance(items, list) else ())

    @classmethod
    def of(cls, specs: Iterable[TaskSpec]) -> "Draft":
        return cls(task_json(spec, "task_id") for spec in specs)

    def text(self, *, spread: bool = False) -> str:
        """Return the JSON; `spread` over lines for people, unless there is too much of it."""
        if not self.items:
            return ""
        spread = spread and len(self.items) <= MAX_SPREAD
        return orjson.dumps(self.items, option=orjson.OPT_INDENT_2 if spread else None).decode()

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return (task_at(item) for item in self.items)

    def __getitem__(self, place: int) -> Mapping[str, Any]:
        return task_at(self.items[place])

    def place(self, text: str) -> int | None:
        """Return the place that a button names, if there is a task."""
        place = int(text) if text.isdecimal() and len(text) < 8 else -1
        return place if 0 <= place < len(self) else None

    # --- Changes ----------------------------------------------------------------------------

    def put(self, task: Mapping[str, Any], place: int | None) -> int:
        """Put the task in the place of the one with its key, or at the end; return its place."""
        self._read = None
        key = key_of(task)
        keys = [key_of(item) for item in self]
        if place is None or place >= len(keys) or keys[place] != key:
            place = keys.index(key) if key in keys else None
        if place is None:
            self.items.append(task)
            return len(self.items) - 1
        self.items[place] = task
        return place

    def copy(self, place: int) -> int:
        """Put a copy under a new key behind a task; return its place."""
        self._read = None
        copied = {name: value for name, value in self[place].items() if name != "key"}
        self.items.insert(place + 1, {**copied, "task_id": str(uuid4())})
        return place + 1

    def take(self, place: int) -> Any:
        """Take a task out."""
        self._read = None
        return self.items.pop(place)

    def insert(self, place: int, item: Any) -> None:
        """Put back what was taken out."""
        self._read = None
        self.items.insert(place, item)

    # --- The graph --------------------------------------------------------------------------

    def ranks(self) -> dict[UUID, int]:
        """Return the ranks of the tasks within the draft, as far as there are any."""
        keys = {key for task in self if (key := key_of(task))}
        parents = {
            key: [parent for parent in parents_of(task) if parent in keys]
            for task in self
            if (key := key_of(task))
        }
        return sort_by_rank(parents, {})

    def children(self, key: UUID | None) -> list[int]:
        """Return the places of the tasks that take what this one makes."""
        return [place for place, task in enumerate(self) if key and key in parents_of(task)]

    def below(self, key: UUID | None) -> set[UUID]:
        """Return the keys of this task and of all that depend on it."""
        children: dict[UUID, list[UUID]] = {}
        for task in self:
            if child := key_of(task):
                for parent in parents_of(task):
                    children.setdefault(parent, []).append(child)
        found = {key} if key else set()
        waiting = list(found)
        while waiting:
            fresh = [child for child in children.get(waiting.pop(), ()) if child not in found]
            found.update(fresh)
            waiting += fresh
        return found

    # --- To be judged -----------------------------------------------------------------------

    def specs(self) -> tuple[list[TaskSpec], list[int], list[Problem]]:
        """Return the tasks that can be read, their places, and what is wrong with the others."""
        if self._read is None:
            self._read = ([], [], [])
            specs, places, problems = self._read
            for place, item in enumerate(self.items):
                read, wrong = parse_tasks({"tasks": [item]})
                specs += read
                places += [place] * len(read)
                problems += [moved(problem, place) for problem in wrong]
        specs, places, problems = self._read
        return specs, places, list(problems)


def moved(problem: Problem, place: int) -> Problem:
    """Return the problem of ``tasks[n]`` as one of the task in this place."""
    _, bracket, rest = problem.field.partition("]")
    return replace(problem, field=f"tasks[{place}{bracket}{rest}")


def place_of(problem: Problem) -> int | None:
    """Return the place of the task that the problem is about."""
    found = re.match(r"tasks\[(\d+)\]", problem.field)
    return int(found[1]) if found else None


def path_of(problem: Problem) -> str:
    """Return the path within the task, where the problem is one of a task's."""
    found = re.match(r"tasks\[\d+\]\.?", problem.field)
    return problem.field[found.end() :] if found else problem.field


def task_at(item: Any) -> Mapping[str, Any]:
    return item if isinstance(item, Mapping) else {}


def key_of(task: Mapping[str, Any]) -> UUID | None:
    """Return the key of a task, which the two shapes of a task call otherwise."""
    key = task.get("key")
    return as_key(task.get("task_id") if key is None else key)


def function_of(task: Mapping[str, Any]) -> UUID | None:
    return as_key(task.get("function_key"))


def inputs_of(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    inputs = task.get("inputs")
    return [ref for ref in inputs if isinstance(ref, Mapping)] if isinstance(inputs, list) else []


def outputs_of(task: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    outputs = task.get("outputs")
    found = outputs.items() if isinstance(outputs, Mapping) else ()
    return {name: output for name, output in found if isinstance(output, Mapping)}


def parents_of(task: Mapping[str, Any]) -> list[UUID]:
    keys = (as_key(ref.get("parent_task_key")) for ref in inputs_of(task))
    return [key for key in keys if key]
