"""Forms of compute plans and tasks."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from ..accounts.models import Organization
from ..common.errors import Problem
from ..common.forms.fields import (
    AssetField,
    JSONTextField,
    MetadataFormField,
    TextField,
    flag_field,
    key_field,
    text_field,
)
from ..common.forms.formsets import RowForm
from ..common.forms.spec_form import SpecForm
from ..common.kinds import AssetKind
from ..feed.forms import RenameForm
from ..functions.models import Function
from ..permissions.forms import PermissionsField
from ..permissions.specs import PermissionsSpec
from .models import ComputePlan, Task, TaskInput, TaskOutput
from .registration import check_compute_plan, check_tasks, register_compute_plan, register_tasks
from .specs import (
    ComputePlanSpec,
    InputRef,
    OutputSpec,
    TaskSpec,
    parse_compute_plan,
    parse_tasks,
)


class TasksField(JSONTextField):
    """Tasks as JSON: a list, or an object with the list under ``tasks``; its value is an object."""

    def to_python(self, value: Any) -> Any:
        body = super().to_python(value)
        if isinstance(body, list):
            body = {"tasks": body} if body else {}
        if body is not None and not isinstance(body, Mapping):
            raise ValidationError('Give a list of tasks, or {"tasks": [...]}.', code="tasks")
        if body and not {"tasks", "name"} & set(body):
            # Such as one task: it would be taken for a plan without any.
            raise ValidationError(
                'This is neither a list of tasks nor a plan: it has no "tasks". '
                'Give [{...}, {...}], or {"tasks": [...]}.',
                code="tasks",
            )
        return dict(body or {})


class ComputePlanForm(SpecForm):
    """Registers a compute plan, with or without tasks."""

    # Browsers must not ask for a name: a whole plan pasted as tasks brings its own.
    use_required_attribute = False

    name = text_field(ComputePlan, "name")
    tag = text_field(ComputePlan, "tag")
    metadata = MetadataFormField()
    tasks = TasksField(
        required=False,
        help_text="A JSON list of tasks, all registered or none. Or a whole compute plan with "
        "its tasks: what the fields here leave blank is taken from it.",
    )
    key = key_field()

    def make_spec(self, values: dict[str, Any]) -> ComputePlanSpec:
        filled = {name: value for name, value in values.items() if value}
        body = {"key": str(uuid.uuid4()), **filled.pop("tasks", {}), **filled}
        spec, self.unread_problems = parse_compute_plan(body)
        if self.unread_problems:
            # Without the tasks that could not be read, the others would be counted wrongly.
            spec.tasks = ()
        return spec

    def check(self) -> Iterable[Problem]:
        return [*self.unread_problems, *check_compute_plan(self.spec, self.actor)]

    def save(self) -> ComputePlan:
        return register_compute_plan(self.spec, self.actor)


class ComputePlanRenameForm(RenameForm):
    kind = AssetKind.COMPUTE_PLAN


class PlanTasksForm(SpecForm):
    """Adds tasks to the compute plan `asset`, all or none."""

    tasks = TasksField(help_text="A JSON list of tasks, all registered or none.")

    def make_spec(self, values: dict[str, Any]) -> list[TaskSpec]:
        specs, self.unread_problems = parse_tasks(values.get("tasks", {}))
        return specs

    def check(self) -> Iterable[Problem]:
        if self.unread_problems or "tasks" in self.unreadable:
            return self.unread_problems
        return check_tasks(self.spec, self.actor, self.asset.key)

    def save(self) -> ComputePlan:
        register_tasks(self.spec, self.actor, self.asset.key)
        return self.asset


class TaskInputForm(RowForm):
    """What feeds one input of a task."""

    identifier = text_field(TaskInput, "identifier", help_text="Which input of the function.")
    asset_key = forms.UUIDField(
        label="Asset",
        required=False,
        help_text="A dataset, a data sample or a model, by its key. Or else, to the right:",
    )
    parent_task_key = forms.UUIDField(
        label="Parent task", required=False, help_text="The task that makes the model."
    )
    parent_task_output_identifier = TextField(
        label="Output of the parent", required=False, help_text="Which output of that task."
    )

    def spec(self) -> InputRef:
        values = self.cleaned_data
        return InputRef(
            values.get("identifier", ""),
            values.get("asset_key"),
            values.get("parent_task_key"),
            values.get("parent_task_output_identifier") or None,
        )


class TaskOutputForm(RowForm):
    """Who may use one output of a task."""

    identifier = text_field(
        TaskOutput, "identifier", help_text="Which output of the function; each is given once."
    )
    permissions = PermissionsField(
        help_text="Who may use and download what this output produces. Performances are public."
    )
    transient = flag_field(TaskOutput, "transient")

    def spec(self) -> tuple[str, OutputSpec]:
        values = self.cleaned_data
        return values.get("identifier", ""), OutputSpec(
            values.get("permissions", PermissionsSpec()), values.get("transient", False)
        )


class TaskForm(SpecForm):
    """Registers one task."""

    field_aliases = {"function_key": "function", "compute_plan_key": "compute_plan"}
    row_forms = {"inputs": TaskInputForm, "outputs": TaskOutputForm}

    function = AssetField(
        Function.objects.all(),
        help_text="What the task runs.",
        error_messages={"required": "Choose the function that the task runs."},
    )
    compute_plan = AssetField(
        ComputePlan.objects.all(),
        required=False,
        help_text="A plan of your organisation. Without, the task gets a plan of its own.",
    )
    worker = forms.ModelChoiceField(
        Organization.objects.all(),
        required=False,
        help_text="The organisation that would run the task. May be left out when an input is a "
        "dataset: its owner runs the task.",
    )
    tag = text_field(Task, "tag")
    metadata = MetadataFormField()
    key = key_field()

    def make_spec(self, values: dict[str, Any]) -> TaskSpec:
        plan, worker, function = (
            values.get(name) for name in ("compute_plan", "worker", "function")
        )
        return TaskSpec(
            key=values.get("key") or uuid.uuid4(),
            function_key=function.key if function else uuid.UUID(int=0),
            worker=worker.pk if worker else "",
            compute_plan_key=plan.key if plan else None,
            tag=values.get("tag", ""),
            metadata=values.get("metadata", {}),
            inputs=self.formsets["inputs"].specs(),
            outputs=self._outputs(),
        )

    def _outputs(self) -> dict[str, OutputSpec]:
        found: dict[str, OutputSpec] = {}
        for row in self.formsets["outputs"].filled_forms:
            identifier, output = row.spec()
            if identifier in found:
                row.add_error("identifier", f'The output "{identifier}" is given twice; keep one.')
            found[identifier] = output
        return found

    def check(self) -> Iterable[Problem]:
        return check_tasks([self.spec], self.actor)

    def add_problem(self, problem: Problem) -> None:
        # People see one task, not a batch of one.
        where = problem.field.removeprefix("tasks[0]").lstrip(".")
        super().add_problem(replace(problem, field=where))

    def save(self) -> Task:
        register_tasks([self.spec], self.actor)
        return Task.objects.get(pk=self.spec.key)
