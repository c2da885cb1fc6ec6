"""Forms of whole plans: their own fields and tasks as JSON; and the choice of a function."""

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms

from ...common.errors import Code, Problem
from ...common.forms.layouts import PageForm
from ...common.forms.pickers import AssetPicker
from ...common.forms.problem_form import MAX_MESSAGES
from ...common.parsing import as_key
from ...common.text.reading import cut
from ...functions.models import Function
from ...functions.queries import inputs_of, outputs_of
from ..forms import ComputePlanForm, PlanTasksForm
from ..registration import check_compute_plan, check_tasks
from ..specs import PLAN, ComputePlanSpec, TaskSpec, parse_compute_plan
from .candidates import usable_functions
from .draft import Draft, key_of, moved, place_of
from .fields import OfferedField

Check = Callable[[list[TaskSpec]], Iterable[Problem]]


def judge(draft: Draft, check: Check) -> list[Problem]:
    """Return everything that is wrong with a draft; paths count the tasks as the draft does."""
    specs, places, problems = draft.specs()
    read = {spec.key for spec in specs}
    unread = {str(key) for task in draft if (key := key_of(task)) and key not in read}
    for problem in check(specs):
        if (place := place_of(problem)) is not None:
            # That the parent is unknown follows from that it could not be read.
            if not (problem.field.endswith("parent_task_key") and _names(problem, unread)):
                problems.append(moved(problem, places[place]))
        else:
            problems.append(problem)
    return sorted(problems, key=_order)


def _names(problem: Problem, keys: Iterable[str]) -> bool:
    return any(key in problem.message for key in keys)


def _order(problem: Problem) -> int:
    place = place_of(problem)
    return -1 if place is None else place


class _JudgesTasks:
    """Mixin of forms with tasks: what is wrong with these is told beside the form, task by task."""

    task_problems: Sequence[Problem] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields  # type: ignore[attr-defined]
        fields["tasks"].widget.attrs |= {
            "class": "form-control",
            "rows": 20,
            "spellcheck": "false",
            "wrap": "off",
        }

    def apart(self, problems: Sequence[Problem]) -> list[Problem]:
        """Keep the problems of tasks; return all but those that a field has no room for."""
        self.task_problems = [item for item in problems if item.field.startswith("tasks[")]
        others = [item for item in problems if not item.field.startswith("tasks[")]
        return [*others, *self.task_problems[: max(1, MAX_MESSAGES - len(others))]]

    def plan_errors(self) -> list[tuple[str, str, str]]:
        """Return (id of the field, its label, what is wrong), but for what is told of tasks."""
        found: list[tuple[str, str, str]] = self.all_errors()  # type: ignore[attr-defined]
        return [item for item in found if not (self.task_problems and item[0] == "id_tasks")]


class PlanBuilderForm(_JudgesTasks, PageForm, ComputePlanForm):
    """A compute plan whose tasks are built or pasted."""

    live = ("name", "tag", "metadata")

    def make_spec(self, values: dict[str, Any]) -> ComputePlanSpec:
        filled = {name: value for name, value in values.items() if value}
        body = filled.pop("tasks", {})
        items = body.get("tasks") or []
        body = {"key": str(uuid.uuid4()), **body, **filled, "tasks": []}
        spec, self.unread_problems = parse_compute_plan(body)
        if not isinstance(items, list):
            self.unread_problems.append(Problem(Code.INVALID, "must be a list.", "tasks", PLAN))
        self.draft = Draft(items if isinstance(items, list) else ())
        spec.tasks = self.draft.specs()[0]
        return spec

    def check(self) -> Iterable[Problem]:
        def check(specs: list[TaskSpec]) -> Iterable[Problem]:
            return check_compute_plan(replace(self.spec, tasks=specs), self.actor)

        return self.apart([*self.unread_problems, *judge(self.draft, check)])


class TasksBuilderForm(_JudgesTasks, PageForm, PlanTasksForm):
    """Tasks that are built or pasted for a registered plan."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tasks"].error_messages["required"] = "Add a task first."

    def make_spec(self, values: dict[str, Any]) -> list[TaskSpec]:
        items = values.get("tasks", {}).get("tasks")
        self.draft = Draft(items if isinstance(items, list) else ())
        return self.draft.specs()[0]

    def check(self) -> Iterable[Problem]:
        def check(specs: list[TaskSpec]) -> Iterable[Problem]:
            return check_tasks(specs, self.actor, self.asset.key)

        return self.apart(judge(self.draft, check))


class FunctionChoice(forms.Form):
    """The first step of a task: what it runs."""

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["function"] = OfferedField(
            usable_functions(actor.organization_id),
            help_text="What the task runs. Functions that your organisation may not run are "
            "left out.",
            widget=AssetPicker(notes=signatures),
        )

    @property
    def chosen(self) -> UUID | None:
        return as_key(str(self.data.get("function", "")))


def _listed(identifiers: Iterable[str]) -> str:
    return cut(", ".join(identifiers), 100)


def signatures(rows: Sequence[Function]) -> dict[UUID, str]:
    """Say what each function takes and makes; two queries."""
    keys = [row.pk for row in rows]
    inputs, outputs = inputs_of(keys), outputs_of(keys)
    return {
        row.pk: f"{_listed(inputs[row.pk])} → {_listed(outputs[row.pk])}, {row.owner_id}"
        for row in rows
    }
