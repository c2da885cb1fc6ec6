"""What lies on the desk while one builds: the draft, the task being filled in, what was just done.

All of it is in the data of the page's form, and goes back into it; the buttons change it here.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.http import QueryDict

from ...common.errors import Problem
from ...common.forms.fields import read_json
from ...common.parsing import as_key
from ...functions.models import Function
from ..models import ComputePlan
from .candidates import samples_of
from .draft import Draft, key_of, path_of, place_of, task_at
from .forms import FunctionChoice
from .names import Names
from .task_form import PREFIX, TaskFields, can_be_built, data_of, prefetched

Judge = Callable[[Draft], list[Problem]]

MANY_SAMPLES = 10_000


class Desk:
    """The draft and the open task of one request.

    Args:
        data: the form's data, which is changed.
        judge: returns what is wrong with a draft.
        plan: the registered plan that the tasks are for, if there is one.
    """

    def __init__(
        self,
        data: QueryDict,
        user: Any,
        judge: Judge,
        plan: ComputePlan | None = None,
        fields: type[TaskFields] = TaskFields,
    ) -> None:
        self.data, self.user, self.judge = data, user, judge
        self.plan, self.fields = plan, fields
        self.notice = self.complaint = ""
        # What takes the keyboard when the page is shown: the task, the notice, or nothing.
        self.focus = ""
        self.is_judged = False
        try:
            self.draft = Draft.read(data.get("tasks", ""))
            self.readable = True
        except ValidationError:
            self.draft, self.readable = Draft(), False

    # --- What there is ----------------------------------------------------------------------

    @property
    def view(self) -> str:
        is_json = self.data.get("view") == "json" or not self.readable
        return "json" if is_json else "build"

    @property
    def number(self) -> int:
        """The number that the open task has or will have in the draft."""
        place = self._place()
        return (len(self.draft) if place is None else place) + 1

    @property
    def is_editing(self) -> bool:
        """Is the open task one of the draft, rather than a new one?"""
        return self._place() is not None

    @property
    def undo(self) -> str:
        return str(self.data.get("undo", ""))

    @property
    def carried(self) -> list[tuple[str, str]]:
        """What the form carries of the open task out of sight."""
        names = [f"{PREFIX}-{name}" for name in ("key", "function", "place", "body")]
        return [(name, str(self.data[name])) for name in names if name in self.data]

    @cached_property
    def function(self) -> Function | None:
        function = prefetched(as_key(self.data.get(f"{PREFIX}-function", "")))
        return function if function and can_be_built(function) else None

    @cached_property
    def names(self) -> Names:
        return Names(self.draft, [])

    @cached_property
    def task(self) -> TaskFields | None:
        """The form of the open task, once its function was chosen."""
        if self.function is None:
            return None
        return self.fields(
            self.data,
            actor=self.user,
            function=self.function,
            draft=self.draft,
            names=self.names,
            plan=self.plan,
        )

    @cached_property
    def choice(self) -> FunctionChoice:
        return FunctionChoice(self.data, actor=self.user)

    def _place(self) -> int | None:
        text = str(self.data.get(f"{PREFIX}-place", ""))
        place = self.draft.place(text)
        key = as_key(self.data.get(f"{PREFIX}-key", ""))
        if place is not None and key_of(self.draft[place]) == key:
            return place
        keys = [key_of(task) for task in self.draft]
        return keys.index(key) if key and key in keys else None

    def get_field_by_html_name(self, html_name: str) -> Any:
        """Return a field of the open task, or of the choice of its function, unjudged."""
        holders: list[Any] = [self.task, self.choice]
        for holder in filter(None, holders):
            for field in holder:
                if field.html_name == html_name:
                    holder._errors = ErrorDict()
                    return field
        return None

    # --- Buttons ----------------------------------------------------------------------------

    def act(self, action: str, of_what: str) -> None:
        """Do what a button says; unknown words change nothing."""
        place = self.draft.place(of_what)
        if action in ("edit", "copy", "remove") and place is not None:
            getattr(self, f"_{action}")(place)
        elif action in ("choose", "change", "put", "discard", "restore"):
            getattr(self, f"_{action}")()
        elif action in ("all", "none"):
            self._tick(of_what, action == "all")
        elif action == "view":
            self._turn(of_what)

    def _turn(self, view: str) -> None:
        if self.readable:
            self.data["view"] = view
            self._keep(spread=view == "json")

    def _keep(self, *, spread: bool = False) -> None:
        """Write the draft back into the form."""
        self.data["tasks"] = self.draft.text(spread=spread)
        self.__dict__.pop("names", None)
        self.__dict__.pop("task", None)

    def close(self) -> None:
        """Forget the open task."""
        for name in [name for name in self.data if name.startswith(f"{PREFIX}-")]:
            del self.data[name]
        for name in ("function", "function-search"):
            self.data.pop(name, None)
        for name in ("function", "task", "choice"):
            self.__dict__.pop(name, None)

    def open(self, task: dict[str, Any], function: Function | None, place: int | None) -> None:
        """Lay a task out to be filled in; without a function, that is chosen first."""
        self.close()
        if function is not None and not can_be_built(function):
            function = None
            self.complaint = "This function has too many inputs and outputs for a form: write JSON."
        values = {f"{PREFIX}-body": [orjson.dumps(task).decode()]}
        if function is not None:
            values = data_of(task, function)
            self.function = function
        values[f"{PREFIX}-key"] = [str(key_of(task) or uuid4())]
        if place is not None:
            values[f"{PREFIX}-place"] = [str(place)]
        for name, items in values.items():
            self.data.setlist(name, [str(item) for item in items])
        self.focus = "task"

    def _choose(self) -> None:
        function = prefetched(self.choice.chosen)
        if function is None:
            self.complaint = "Choose a function first."
            return
        try:
            task = dict(task_at(read_json(self.data.get(f"{PREFIX}-body") or "{}")))
        except ValidationError:
            task = {}
        task.setdefault("worker", self.user.organization_id)
        task["task_id"] = self.data.get(f"{PREFIX}-key") or str(uuid4())
        task.pop("key", None)
        self.open(task, function, self._place())

    def _change(self) -> None:
        """Choose another function; what fits it stays."""
        if self.task is not None:
            self.task.is_valid()
            task, function = self.task.body(), self.function
            self.open(task, None, self._place())
            if function is not None:
                self.data["function"] = str(function.pk)

    def _edit(self, place: int) -> None:
        task = dict(self.draft[place])
        function = prefetched(as_key(task.get("function_key")))
        self.open(task, function, place)
        if function is None:
            self.complaint = "This task's function is not registered. Choose another one."
        elif self.task is not None:
            self.task.is_valid()
            self._show(place, self.judge(self.draft))
            self.is_judged = True

    def _show(self, place: int, problems: Iterable[Problem]) -> None:
        mine = [(path_of(item), item) for item in problems if place_of(item) == place]
        if self.task is not None:
            self.task.show_all(mine)

    def _put(self) -> None:
        """Add the open task to the draft, or put it where it was, unless something is wrong."""
        if self.task is None:
            self.complaint = "Choose a function first."
            return
        self.task.is_valid()
        was_there = self.is_editing
        changed = Draft(self.draft.items)
        place = changed.put(self.task.body(), self._place())
        problems = self.judge(changed)
        self._show(place, problems)
        if self.task.errors:
            self.is_judged, self.focus = True, "errors"
            return
        others = {at for item in problems if (at := place_of(item)) is not None} - {place}
        self.draft = changed
        self.close()
        self.data.pop("undo", None)
        self._keep()
        done = "changed" if was_there else "added"
        self.notice = f"Task {self.names.task(place)} was {done}."
        if others:
            listed = _listed([self.names.task(other) for other in sorted(others)])
            self.notice += f" Something is wrong with task {listed}: check the plan to see what."
        self.focus = "notice"

    def _discard(self) -> None:
        self.close()
        self.notice = "The task was not added."
        self.focus = "notice"

    def _copy(self, place: int) -> None:
        copied = self.draft.copy(place)
        self._keep()
        self._edit(copied)
        self.notice = f"Task {copied + 1} is a copy of task {place + 1}: change what differs."

    def _remove(self, place: int) -> None:
        task = self.draft[place]
        name, children = self.names.task(place), self.draft.children(key_of(task))
        undo = {"place": place, "task": self.draft.take(place)}
        if as_key(self.data.get(f"{PREFIX}-key", "")) == key_of(task):
            self.close()
        self.data["undo"] = orjson.dumps(undo).decode()
        self._keep()
        self.notice = f"Task {name} was removed."
        if children:
            left = [child - (child > place) for child in children if child != place]
            listed = _listed([self.names.task(child) for child in left])
            self.notice += (
                f" What took its output misses an input now: task {listed}. Edit it, or put the "
                "removed task back."
            )
        self.focus = "notice"

    def _restore(self) -> None:
        try:
            undo = dict(task_at(read_json(self.undo)))
        except ValidationError:
            return
        place = undo.get("place")
        if isinstance(place, int) and "task" in undo:
            self.draft.insert(min(max(0, place), len(self.draft)), undo["task"])
            self.notice = "The task is back."
        self.data.pop("undo", None)
        self._keep()

    def _tick(self, name: str, on: bool) -> None:
        """Choose all the data samples of the dataset, or none."""
        dataset = self.task.dataset if self.task else None
        if dataset is not None and name in self.task.fields:  # type: ignore[union-attr]
            rows = samples_of(dataset.pk).order_by("creation_date", "pk")
            keys: list[UUID] = list(rows.values_list("pk", flat=True)[:MANY_SAMPLES]) if on else []
            self.data.setlist(f"{PREFIX}-{name}", [str(key) for key in keys])


def _listed(names: list[str]) -> str:
    return "; task ".join(names[:5]) + (f"; and {len(names) - 5} more" if names[5:] else "")
