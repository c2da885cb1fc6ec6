"""Names of what the tasks of a draft refer to, loaded at once for any number of tasks."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from ...common.parsing import as_key
from ...datasets.models import Dataset
from ...functions.models import Function
from ...functions.queries import outputs_of
from ..models import Task
from .draft import Draft, function_of, inputs_of, key_of, parents_of

# Up to as many sources of an input are all named.
NAMED = 3


class Names:
    """Names of the functions of a draft, and of what the tasks `shown` take; four queries."""

    def __init__(self, draft: Draft, shown: Iterable[Mapping[str, Any]]) -> None:
        shown = list(shown)
        refs = [
            ref for task in shown for some in _by_identifier(task).values() for ref in some[:NAMED]
        ]
        self._draft = draft
        self.places = {key: place for place, task in enumerate(draft) if (key := key_of(task))}
        self._functions = _load(Function, (function_of(task) for task in draft))
        self.outputs = outputs_of(self._functions) if self._functions else {}
        self._datasets = _load(Dataset, (as_key(ref.get("asset_key")) for ref in refs))
        parents = (key for task in shown for key in parents_of(task))
        self._parents = _load(Task, parents, "function__name")

    def function(self, task: Mapping[str, Any]) -> str:
        """Return the name of the task's function; blank if it is not registered."""
        key = function_of(task)
        return self._functions.get(key, "") if key else ""

    def task(self, place: int) -> str:
        """Return the number and the function of a task of the draft."""
        return f"{place + 1} {self.function(self._draft[place]) or _('unknown function')}"

    def parent(self, key: UUID) -> str:
        """Return the name of a task, of the draft or registered."""
        if key in self.places:
            return _("task %(task)s") % {"task": self.task(self.places[key])}
        short = str(key)[:8]
        name = self._parents.get(key)
        return f"{name} {short}" if name else _("unknown task %(key)s") % {"key": short}

    def in_words(self, message: str) -> str:
        """Return the message with names in place of the keys of the draft's tasks."""

        def name(found: re.Match[str]) -> str:
            key = as_key(found[1])
            return self.parent(key) if key in self.places else found[0]

        # Each language has its quotes: "…", «…» with spaces, „…“.
        word = re.escape(_("task"))
        return re.sub(rf'{word} ["«„]\s?([0-9a-f-]{{36}})\s?["»“]', name, message)

    def inputs(self, task: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return (identifier, its sources in a few words) of each input."""
        return [(name, self._sources(refs)) for name, refs in _by_identifier(task).items()]

    def _sources(self, refs: list[Mapping[str, Any]]) -> str:
        if len(refs) <= NAMED:
            return ", ".join(map(self._source, refs))
        names = {"sources": ", ".join(map(self._source, refs[:2])), "count": len(refs) - 2}
        return _("%(sources)s and %(count)d more") % names

    def _source(self, ref: Mapping[str, Any]) -> str:
        if parent := as_key(ref.get("parent_task_key")):
            names = {
                "output": ref.get("parent_task_output_identifier"),
                "task": self.parent(parent),
            }
            return _("%(output)s of %(task)s") % names
        key = as_key(ref.get("asset_key"))
        return self._datasets.get(key) or str(key)[:8] if key else _("nothing")


def _by_identifier(task: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for ref in inputs_of(task):
        found[str(ref.get("identifier", ""))].append(ref)
    return found


def _load(model: Any, keys: Iterable[UUID | None], name: str = "name") -> dict[UUID, str]:
    """Return the names of rows by key; one query, or none without keys."""
    wanted = {key for key in keys if key}
    return dict(model.objects.filter(key__any=wanted).values_list("key", name)) if wanted else {}
