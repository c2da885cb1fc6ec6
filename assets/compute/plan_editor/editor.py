"""The draft and the open task of one request, and the buttons that change them.

All of it comes in the data of the page's form, and goes back into it.
"""

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext as _, ngettext

from ...common.errors import Problem
from ...common.forms.fields import read_json
from ...common.parsing import as_key
from ...functions.models import Function
from ..models import ComputePlan
from .candidates import samples_of
from .draft import Draft, as_task, key_of, path_of, place_of
from .forms import FunctionChoice
from .names import Names
from .task_form import PREFIX, TaskFields, data_of, has_form, prefetched

# How many data samples "All data samples" chooses.
MAX_CHOSEN_SAMPLES = 10_000
# How many tasks a notice names.
MAX_NAMED_TASKS = 5


class PlanEditor:
    """The draft and the open task of one request.

    Args:
        data: the form's data, which is changed.
        validate: returns the problems of a draft.
        plan: the registered plan that the tasks are for, if there is one.
    """

    def __init__(
        self,
        data: QueryDict,
        user: Any,
        validate: Callable[[Draft], list[Problem]],
        plan: ComputePlan | None = None,
        fields: type[TaskFields] = TaskFields,
    ) -> None:
        self.data, self.user, self.validate = data, user, validate
        self.plan, self.fields = plan, fields
        self.notice = self.error = ""
        # What takes the keyboard when the page is shown: the task, the notice, or nothing.
        self.focus = ""
        self.is_validated = False
        try:
            self.draft = Draft.read(data.get("tasks", ""))
            self.is_readable = True
        except ValidationError:
            self.draft, self.is_readable = Draft(), False

    # --- State ------------------------------------------------------------------------------

    def _value(self, name: str) -> str:
        return str(self.data.get(f"{PREFIX}-{name}", ""))

    @property
    def view(self) -> str:
        is_json = self.data.get("view") == "json" or not self.is_readable
        return "json" if is_json else "build"

    @property
    def place(self) -> int | None:
        """The place of the open task in the draft; None for a new task."""
        place, key = self.draft.place(self._value("place")), as_key(self._value("key"))
        if place is not None and key_of(self.draft[place]) == key:
            return place
        return self.draft.place_of_key(key)

    @property
    def number(self) -> int:
        """The number that the open task has or will have in the draft."""
        place = self.place
        return (len(self.draft) if place is None else place) + 1

    @property
    def is_editing(self) -> bool:
        """Whether the open task is one of the draft, rather than a new one."""
        return self.place is not None

    @property
    def undo(self) -> str:
        return str(self.data.get("undo", ""))

    @property
    def hidden_fields(self) -> list[tuple[str, str]]:
        """What the form carries of the open task in hidden fields."""
        names = [f"{PREFIX}-{name}" for name in ("key", "function", "place", "body")]
        return [(name, str(self.data[name])) for name in names if name in self.data]

    @cached_property
    def function(self) -> Function | None:
        function = prefetched(as_key(self._value("function")))
        return function if function and has_form(function) else None

    @cached_property
    def names(self) -> Names:
        return Names(self.draft, [])

    @cached_property
    def task(self) -> TaskFields | None:
        """The form of the open task, once its function is chosen."""
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

    def get_field_by_html_name(self, html_name: str) -> Any:
        """Return a field of the open task, or of the choice of its function, not validated."""
        forms: list[Any] = [self.task, self.choice]
        for form in filter(None, forms):
            for field in form:
                if field.html_name == html_name:
                    form._errors = ErrorDict()
                    return field
        return None

    # --- Buttons ----------------------------------------------------------------------------

    def act(self, action: str, argument: str) -> None:
        """Carry out the action of a button; an unknown one changes nothing."""
        place = self.draft.place(argument)
        if action in ("edit", "copy", "remove") and place is not None:
            getattr(self, f"_{action}")(place)
        elif action in ("choose", "change", "put", "discard", "restore"):
            getattr(self, f"_{action}")()
        elif action in ("all", "none"):
            self._choose_samples(argument, all_of_them=action == "all")
        elif action == "view" and self.is_readable:
            self.data["view"] = argument
            self._write_draft(indent=argument == "json")

    def _write_draft(self, *, indent: bool = False) -> None:
        """Write the draft back into the form."""
        self.data["tasks"] = self.draft.text(indent=indent)
        self._forget("names", "task")

    def _forget(self, *names: str) -> None:
        for name in names:
            self.__dict__.pop(name, None)

    def close(self) -> None:
        """Remove the open task from the form."""
        for name in [name for name in self.data if name.startswith(f"{PREFIX}-")]:
            del self.data[name]
        for name in ("function", "function-search"):
            self.data.pop(name, None)
        self._forget("function", "task", "choice")

    def open(self, task: dict[str, Any], function: Function | None, place: int | None) -> None:
        """Put a task into the form's fields; without a function, that is chosen first."""
        self.close()
        if function is not None and not has_form(function):
            function = None
            self.error = _("This function has too many inputs and outputs for a form. Use JSON.")
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
            self.error = _("Choose a function first.")
            return
        task = _read_object(self._value("body") or "{}")
        task.setdefault("worker", self.user.organization_id)
        task["task_id"] = self._value("key") or str(uuid4())
        task.pop("key", None)
        self.open(task, function, self.place)

    def _change(self) -> None:
        """Choose another function; values that match it stay."""
        if self.task is not None:
            self.task.is_valid()
            task, function = self.task.body(), self.function
            self.open(task, None, self.place)
            if function is not None:
                self.data["function"] = str(function.pk)

    def _edit(self, place: int) -> None:
        task = dict(self.draft[place])
        function = prefetched(as_key(task.get("function_key")))
        self.open(task, function, place)
        if function is None:
            self.error = _("This task's function is not registered. Choose another one.")
        elif self.task is not None:
            self.task.is_valid()
            self._show_problems(place, self.validate(self.draft))
            self.is_validated = True

    def _show_problems(self, place: int, problems: Iterable[Problem]) -> None:
        if self.task is not None:
            own = [(path_of(item), item) for item in problems if place_of(item) == place]
            self.task.add_problems(own)

    def _put(self) -> None:
        """Add the open task to the draft, or replace it there, unless it has problems."""
        if self.task is None:
            self.error = _("Choose a function first.")
            return
        self.task.is_valid()
        done = _("Changed task %(task)s.") if self.is_editing else _("Added task %(task)s.")
        changed = Draft(self.draft.items)
        place = changed.put(self.task.body(), self.place)
        problems = self.validate(changed)
        self._show_problems(place, problems)
        if self.task.errors:
            self.is_validated, self.focus = True, "errors"
            return
        others = {at for item in problems if (at := place_of(item)) is not None} - {place}
        self.draft = changed
        self.close()
        self.data.pop("undo", None)
        self._write_draft()
        self._notify(done % {"task": self.names.task(place)})
        if others:
            text = ngettext(
                "Another task has problems: %(tasks)s. Check the plan to see them.",
                "Other tasks have problems: %(tasks)s. Check the plan to see them.",
                len(others),
            )
            self._notify(self.notice, text % {"tasks": self._listed(sorted(others))})

    def _notify(self, *sentences: str) -> None:
        self.notice, self.focus = " ".join(sentences), "notice"

    def _listed(self, places: list[int]) -> str:
        names = "; ".join(self.names.task(place) for place in places[:MAX_NAMED_TASKS])
        if more := len(places[MAX_NAMED_TASKS:]):
            return _("%(tasks)s; and %(count)d more") % {"tasks": names, "count": more}
        return names

    def _discard(self) -> None:
        self.close()
        self._notify(_("The task was not added."))

    def _copy(self, place: int) -> None:
        copied = self.draft.copy(place)
        self._write_draft()
        self._edit(copied)
        self.notice = _("Task %(copy)d is a copy of task %(task)d. Change what should differ.") % {
            "copy": copied + 1,
            "task": place + 1,
        }

    def _remove(self, place: int) -> None:
        key, name = key_of(self.draft[place]), self.names.task(place)
        children = self.draft.children().get(key, []) if key else []
        undo = {"place": place, "task": self.draft.take(place)}
        if as_key(self._value("key")) == key:
            self.close()
        self.data["undo"] = orjson.dumps(undo).decode()
        self._write_draft()
        self._notify(_("Removed task %(task)s.") % {"task": name})
        if left := [child - (child > place) for child in children if child != place]:
            text = ngettext(
                "A task that took its output now misses an input: %(tasks)s. Edit it, or undo.",
                "Tasks that took its output now miss an input: %(tasks)s. Edit them, or undo.",
                len(left),
            )
            self._notify(self.notice, text % {"tasks": self._listed(left)})

    def _restore(self) -> None:
        undo = _read_object(self.undo)
        place = undo.get("place")
        if isinstance(place, int) and "task" in undo:
            self.draft.insert(min(max(0, place), len(self.draft)), undo["task"])
            self.notice = _("The task is back.")
        self.data.pop("undo", None)
        self._write_draft()

    def _choose_samples(self, name: str, *, all_of_them: bool) -> None:
        """Choose all data samples of the dataset, or none."""
        if self.task and self.task.dataset and name in self.task.fields:
            rows = samples_of(self.task.dataset.pk).order_by("creation_date", "pk")
            keys: list[UUID] = []
            if all_of_them:
                keys = list(rows.values_list("pk", flat=True)[:MAX_CHOSEN_SAMPLES])
            self.data.setlist(f"{PREFIX}-{name}", [str(key) for key in keys])


def _read_object(text: str) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    try:
        return dict(as_task(read_json(text)))
    except ValidationError:
        return {}
