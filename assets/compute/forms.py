"""The form of one task that the admin shows.

The forms of plans with their tasks are in `plan_editor`.
"""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy as _

from ..accounts.models import Organization
from ..common.errors import Problem
from ..common.forms.fields import (
    AssetField,
    MetadataFormField,
    TextField,
    flag_field,
    key_field,
    text_field,
)
from ..common.forms.formsets import RowForm
from ..common.forms.spec_form import SpecForm
from ..functions.models import Function
from ..permissions.forms import PermissionsField
from ..permissions.specs import PermissionsSpec
from .inputs import InputRef, grouped
from .models import ComputePlan, Task, TaskInput, TaskOutput
from .registration import check_tasks, register_tasks
from .specs import OutputSpec, TaskSpec


class TaskInputForm(RowForm):
    """One source of an input of a task."""

    item_label, list_label = _("input"), _("Inputs")

    identifier = text_field(TaskInput, "identifier", help_text=_("An input of the function."))
    asset_key = forms.UUIDField(
        label=_("Asset"),
        required=False,
        help_text=_("The key of a dataset, a data sample or a model. Or use a parent task:"),
    )
    parent_task_key = forms.UUIDField(
        label=_("Parent task"), required=False, help_text=_("The task that makes the model.")
    )
    parent_task_output_identifier = TextField(
        label=_("Output of the parent"), required=False, help_text=_("An output of that task.")
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
    """Who can use one output of a task."""

    item_label, list_label = _("output"), _("Outputs")

    identifier = text_field(
        TaskOutput, "identifier", help_text=_("An output of the function. Add each output once.")
    )
    permissions = PermissionsField(
        help_text=_("Who can use and download this output. Performances are public.")
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
        help_text=_("The code that the task runs."),
        error_messages={"required": _("Choose the function that the task runs.")},
    )
    compute_plan = AssetField(
        ComputePlan.objects.all(),
        required=False,
        help_text=_("A plan of your organisation. Without one, the task gets its own plan."),
    )
    worker = forms.ModelChoiceField(
        Organization.objects.all(),
        required=False,
        help_text=_(
            "The organisation that runs the task. Leave it blank if an input is a dataset: its "
            "owner runs the task."
        ),
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
            inputs=grouped(self.formsets["inputs"].specs()),
            outputs=self._outputs(),
        )

    def _outputs(self) -> dict[str, OutputSpec]:
        found: dict[str, OutputSpec] = {}
        for row in self.formsets["outputs"].filled_forms:
            identifier, output = row.spec()
            if identifier in found:
                message = gettext('The output "%(name)s" is given twice. Remove one.')
                row.add_error("identifier", message % {"name": identifier})
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
