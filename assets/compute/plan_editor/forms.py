"""Forms of whole plans: their own fields, and tasks as JSON. And the choice of a function."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, gettext_lazy

from ...common.errors import Code, Problem
from ...common.forms.fields import JSONTextField, MetadataFormField, key_field, text_field
from ...common.forms.layouts import PageForm
from ...common.forms.pickers import AssetPicker
from ...common.forms.problem_form import MAX_MESSAGES
from ...common.forms.spec_form import SpecForm
from ...common.parsing import as_key
from ...common.text.reading import cut
from ...functions.models import Function
from ...functions.queries import inputs_of, outputs_of
from ..models import ComputePlan
from ..registration import check_compute_plan, check_tasks, register_compute_plan, register_tasks
from ..specs import PLAN, ComputePlanSpec, TaskSpec, parse_compute_plan
from .candidates import usable
from .draft import Draft, validate_draft
from .fields import AssetKeyField


class TasksField(JSONTextField):
    """Tasks as JSON: a list, or an object with the list under ``tasks``; its value is an object."""

    def to_python(self, value: Any) -> Any:
        body = super().to_python(value)
        if isinstance(body, list):
            body = {"tasks": body} if body else {}
        if body is not None and not isinstance(body, Mapping):
            raise ValidationError(_('Enter a list of tasks, or {"tasks": [...]}.'), code="tasks")
        if body and not {"tasks", "name"} & set(body):
            # Such as one task: it would be taken for a plan without any.
            raise ValidationError(
                _(
                    'This is neither a list of tasks nor a plan, because it has no "tasks". '
                    'Enter [{...}, {...}], or {"tasks": [...]}.'
                ),
                code="tasks",
            )
        return dict(body or {})


class TasksForm(SpecForm):
    """A form with tasks as JSON."""

    def read_draft(self, values: dict[str, Any]) -> Draft:
        """Return the tasks of the JSON; what is not a list becomes a problem."""
        items = values.get("tasks", {}).get("tasks") or []
        is_list = isinstance(items, list)
        self.unread_problems = (
            [] if is_list else [Problem(Code.INVALID, _("must be a list."), "tasks", PLAN)]
        )
        self.draft = Draft(items if is_list else ())
        return self.draft

    def check_specs(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        """Return why these tasks cannot be registered, with the plan if it is new."""
        raise NotImplementedError

    def check(self) -> Iterable[Problem]:
        return [*self.unread_problems, *validate_draft(self.draft, self.check_specs)]


class ComputePlanForm(TasksForm):
    """Registers a compute plan, with or without tasks."""

    # Browsers must not require a name: a whole plan pasted as tasks has its own.
    use_required_attribute = False

    name = text_field(ComputePlan, "name")
    tag = text_field(ComputePlan, "tag")
    metadata = MetadataFormField()
    tasks = TasksField(
        label=gettext_lazy("Tasks"),
        required=False,
        help_text=gettext_lazy(
            "A JSON list of tasks, all registered or none. Or a whole compute plan with its "
            "tasks: it fills the fields that you leave blank."
        ),
    )
    key = key_field()

    def make_spec(self, values: dict[str, Any]) -> ComputePlanSpec:
        filled = {name: value for name, value in values.items() if value}
        draft, pasted = self.read_draft(values), filled.pop("tasks", {})
        body = {"key": str(uuid.uuid4()), **pasted, **filled, "tasks": []}
        spec, problems = parse_compute_plan(body)
        self.unread_problems = [*problems, *self.unread_problems]
        spec.tasks = draft.parsed[0]
        return spec

    def check_specs(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        return check_compute_plan(replace(self.spec, tasks=specs), self.actor)

    def save(self) -> ComputePlan:
        return register_compute_plan(self.spec, self.actor)


class PlanTasksForm(TasksForm):
    """Adds tasks to the compute plan `asset`, all or none."""

    tasks = TasksField(
        label=gettext_lazy("Tasks"),
        help_text=gettext_lazy("A JSON list of tasks, all registered or none."),
        error_messages={"required": gettext_lazy("Add a task first.")},
    )

    def make_spec(self, values: dict[str, Any]) -> list[TaskSpec]:
        return self.read_draft(values).parsed[0]

    def check_specs(self, specs: list[TaskSpec]) -> Iterable[Problem]:
        return check_tasks(specs, self.actor, self.asset.key)

    def save(self) -> ComputePlan:
        register_tasks(self.spec, self.actor, self.asset.key)
        return self.asset


class EditorFormMixin(TasksForm, PageForm):
    """Mixin of the plan editor's forms, which list the problems of tasks beside the form."""

    task_problems: Sequence[Problem] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tasks"].widget.attrs |= {
            "class": "form-control",
            "rows": 20,
            "spellcheck": "false",
            "wrap": "off",
        }

    def check(self) -> Iterable[Problem]:
        """Return the plan's own problems, and as many of its tasks' as a field has room for."""
        problems = list(super().check())
        self.task_problems = [item for item in problems if item.field.startswith("tasks[")]
        others = [item for item in problems if not item.field.startswith("tasks[")]
        return [*others, *self.task_problems[: max(1, MAX_MESSAGES - len(others))]]

    def plan_errors(self) -> list[tuple[str, str, str]]:
        """Return (id of the field, its label, message) of the errors that are not of tasks."""
        return [
            item for item in self.all_errors() if not (self.task_problems and item[0] == "id_tasks")
        ]


class PlanEditorForm(EditorFormMixin, ComputePlanForm):
    """A compute plan whose tasks are built or pasted."""

    live = ("name", "tag", "metadata")


class TasksEditorForm(EditorFormMixin, PlanTasksForm):
    """Tasks that are built or pasted for a registered plan."""


class FunctionChoice(forms.Form):
    """The first step of a task: its function."""

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["function"] = AssetKeyField(
            usable(Function, actor.organization_id),
            label=_("Function"),
            help_text=_(
                "The code that the task runs. Functions that your organisation may not run are "
                "not listed."
            ),
            widget=AssetPicker(notes=signatures),
        )

    @property
    def chosen(self) -> UUID | None:
        return as_key(str(self.data.get("function", "")))


def signatures(rows: Sequence[Function]) -> dict[UUID, str]:
    """Return the inputs, outputs and owner of each function, by key; two queries."""
    keys = [row.pk for row in rows]
    inputs, outputs = inputs_of(keys), outputs_of(keys)
    return {
        row.pk: f"{cut(', '.join(inputs[row.pk]), 100)} → {cut(', '.join(outputs[row.pk]), 100)}, "
        f"{row.owner_id}"
        for row in rows
    }
