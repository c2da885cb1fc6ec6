"""What the tasks of a draft refer to, by name: loaded at once, however many tasks there are."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from ...common.parsing import as_key
from ...datasets.models import Dataset
from ...functions.models import Function
from ...functions.queries import outputs_of
from ..models import Task
from .draft import Draft, function_of, inputs_of, key_of, parents_of


class Names:
    """Names of the functions of a draft, and of what the tasks `shown` take; four queries."""

    def __init__(self, draft: Draft, shown: Iterable[Mapping[str, Any]]) -> None:
        shown = list(shown)
        self.places = {key: place for place, task in enumerate(draft) if (key := key_of(task))}
        self._functions = _functions(draft)
        self.outputs = outputs_of(self._functions) if self._functions else {}
        self._datasets = _datasets(shown)
        self._parents = _registered(key for task in shown for key in parents_of(task))
        self._draft = draft

    def function(self, task: Mapping[str, Any]) -> str:
        """Return what the task runs; blank for a function that is not registered."""
        key = function_of(task)
        return self._functions.get(key, "") if key else ""

    def task(self, place: int) -> str:
        """Return what a task of the draft is called: its number and its function."""
        return f"{place + 1} {self.function(self._draft[place]) or 'unknown function'}"

    def parent(self, key: UUID) -> str:
        """Return what the task is called, be it of the draft or registered."""
        if key in self.places:
            return f"task {self.task(self.places[key])}"
        name = self._parents.get(key)
        return f"{name} {str(key)[:8]}" if name else f"unknown task {str(key)[:8]}"

    def in_words(self, message: str) -> str:
        """Return the message with the tasks of the draft called by name, not by key."""

        def named(found: re.Match[str]) -> str:
            key = as_key(found[1])
            return self.parent(key) if key in self.places else found[0]

        return re.sub(r'task "([0-9a-f-]{36})"', named, message)

    def inputs(self, task: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return (identifier, what feeds it in a few words) of each input."""
        fed: dict[str, list[str]] = defaultdict(list)
        for ref in inputs_of(task):
            fed[str(ref.get("identifier", ""))].append(self._source(ref))
        return [(name, _in_short(sources)) for name, sources in fed.items()]

    def _source(self, ref: Mapping[str, Any]) -> str:
        if parent := as_key(ref.get("parent_task_key")):
            return f"{ref.get('parent_task_output_identifier')} of {self.parent(parent)}"
        key = as_key(ref.get("asset_key"))
        name = self._datasets.get(key) if key else None
        return name or (str(key)[:8] if key else "nothing")


def _in_short(sources: list[str]) -> str:
    if len(sources) <= 3:
        return ", ".join(sources)
    return f"{', '.join(sources[:2])} and {len(sources) - 2} more"


def _functions(draft: Draft) -> dict[UUID, str]:
    keys = {key for task in draft if (key := function_of(task))}
    return dict(Function.objects.filter(key__any=keys).values_list("key", "name")) if keys else {}


def _datasets(tasks: Iterable[Mapping[str, Any]]) -> dict[UUID, str]:
    refs = (ref for task in tasks for ref in inputs_of(task))
    keys = {key for ref in refs if (key := as_key(ref.get("asset_key")))}
    return dict(Dataset.objects.filter(key__any=keys).values_list("key", "name")) if keys else {}


def _registered(keys: Iterable[UUID]) -> dict[UUID, str]:
    wanted = set(keys)
    rows = Task.objects.filter(key__any=wanted).values_list("key", "function__name")
    return dict(rows) if wanted else {}
