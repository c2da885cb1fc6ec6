"""The form of one task: the inputs and outputs of its function become fields."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict
from django.http import QueryDict
from django.utils.translation import gettext as _, gettext_lazy

from ...accounts.models import Organization
from ...common.errors import Problem
from ...common.forms.fields import MetadataFormField, key_field, text_field
from ...common.forms.pickers import AssetPicker
from ...common.forms.problem_form import MAX_MESSAGES, ProblemForm, more_problems_message
from ...common.kinds import AssetKind
from ...common.parsing import as_key
from ...datasets.models import Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ...permissions.forms import PermissionsField, Sentences, share_organizations
from ..models import ComputePlan, Task
from ..statuses import TERMINATED
from .candidates import (
    MAX_OF_PLAN,
    Group,
    InputCandidates,
    Source,
    group_sources,
    samples_of,
    usable,
    value_of,
)
from .draft import Draft, inputs_of, is_transient, key_of, outputs_of, permissions_of
from .fields import AssetKeyField, AssetKeysField, SourcesField, SourcesWidget, WorkerField
from .names import Names

PREFIX = "task"
# How many data samples are listed; a search by key finds the others.
MAX_SAMPLES = 200
# Each input is a search of its own, each output a list of all organisations.
MAX_SLOTS = 40
# For a select that changes what other fields list.
_REFRESH = {"hx-post": "", "hx-trigger": "change", "hx-vals": '{"action": "refresh"}'}


USE_MODEL = Sentences(
    public=gettext_lazy(
        "Every organisation of the consortium, including later members, "
        "can use and download this model."
    ),
    only=gettext_lazy("Only %(names)s can use and download this model."),
    none=gettext_lazy("No organisation can use and download this model."),
)


class TaskFields(ProblemForm):
    """The open task of a draft.

    Args:
        data: what was typed, or `data_of` a task.
        function: the function of the task.
        draft: the tasks beside it, whose outputs it can take.
        names: the names of these.
        plan: the registered plan that the task is for, if there is one.
    """

    use_required_attribute = False
    tag = text_field(Task, "tag")
    metadata = MetadataFormField()

    def __init__(
        self,
        data: QueryDict,
        *,
        actor: Any,
        function: Function,
        draft: Draft,
        names: Names,
        plan: ComputePlan | None = None,
    ) -> None:
        super().__init__(data, actor=actor, prefix=PREFIX)
        self.function, self.draft, self.names, self.plan = function, draft, names, plan
        self.inputs: list[FunctionInput] = list(function.inputs.all())
        self.outputs: list[FunctionOutput] = list(function.outputs.all())
        self.key = as_key(data.get(f"{PREFIX}-key", ""))
        for number, declared in enumerate(self.inputs):
            self.fields[f"in-{number}"] = self._input_field(declared)
        if self.dataset_field is None:
            self.fields["worker"] = WorkerField(
                Organization.objects.all(),
                label=_("Worker"),
                help_text=_("The organisation that runs the task."),
                widget=forms.Select(attrs=_REFRESH),
            )
        for number, output in enumerate(self.outputs):
            if output.kind == AssetKind.MODEL:
                self._add_output(number, output)
        share_organizations(self.fields.values())

    # --- Fields -----------------------------------------------------------------------------

    @property
    def dataset_field(self) -> str | None:
        """The name of the field of the dataset, if the function takes one."""
        for number, declared in enumerate(self.inputs):
            if declared.kind == AssetKind.DATA_MANAGER:
                return f"in-{number}"
        return None

    @cached_property
    def dataset(self) -> Dataset | None:
        """The chosen dataset, permitted or not."""
        key = self.dataset_field and as_key(self.data.get(f"{PREFIX}-{self.dataset_field}", ""))
        return Dataset.objects.filter(pk=key).first() if key else None

    @property
    def worker(self) -> str:
        """The organisation that runs the task: the dataset's owner, or the chosen one."""
        if self.dataset_field:
            return self.dataset.owner_id if self.dataset else ""
        # PostgreSQL refuses to even look for an id with NUL.
        return str(self.data.get(f"{PREFIX}-worker", "")).replace("\0", "")

    def _input_field(self, declared: FunctionInput) -> forms.Field:
        options: dict[str, Any] = {
            "label": declared.identifier,
            "required": not declared.optional,
            "help_text": _("Optional.") if declared.optional else "",
        }
        if declared.kind == AssetKind.DATA_MANAGER:
            rows = usable(Dataset, self.actor.organization_id)
            return AssetKeyField(rows, widget=AssetPicker(), **options)
        if declared.kind == AssetKind.DATA_SAMPLE:
            return self._samples_field(declared, options)
        return self._models_field(declared, options)

    def _samples_field(self, declared: FunctionInput, options: dict[str, Any]) -> forms.Field:
        rows = samples_of(self.dataset.pk if self.dataset else None)
        many, label = declared.multiple, _("Search by key")
        picker = AssetPicker(multiple=many, search=(), search_label=label, limit=MAX_SAMPLES)
        if self.dataset is None:
            options["help_text"] = _("Choose a dataset first. Its data samples are then listed.")
        return (AssetKeysField if many else AssetKeyField)(rows, widget=picker, **options)

    def _models_field(self, declared: FunctionInput, options: dict[str, Any]) -> forms.Field:
        found = InputCandidates(declared, self.worker, self.actor.organization_id or "")
        none = _("none") if declared.optional else ""
        widget = SourcesWidget(multiple=declared.multiple, none=none)

        def groups(chosen: list[str], term: str) -> list[Group]:
            plan_key = self.plan.pk if self.plan else None
            own = found.of_draft(self.draft, self.names, self.key)
            listed = [(_("Tasks of this draft"), _matching(own, chosen, term))]
            if plan_key:
                listed.append((_("Registered tasks of this plan"), found.of_plan(plan_key, term)))
            heading = _("Tasks of other plans") if plan_key else _("Registered tasks")
            listed.append((heading, found.of_others(plan_key, term)))
            listed.append((_("Models"), found.models(term)))
            return group_sources(listed, chosen)

        widget.groups = groups
        return SourcesField(widget=widget, **options)

    def _add_output(self, number: int, output: FunctionOutput) -> None:
        permissions = PermissionsField(label=output.identifier, sentences=USE_MODEL)
        permissions.bind_actor(self.actor)
        self.fields[f"out-{number}"] = permissions
        self.fields[f"out-{number}-transient"] = forms.BooleanField(
            label=_("Delete it when no task needs it any more"), required=False
        )

    # --- For the page -----------------------------------------------------------------------

    def input_rows(self) -> list[tuple[Any, FunctionInput]]:
        return [(self[f"in-{number}"], declared) for number, declared in enumerate(self.inputs)]

    def output_rows(self) -> list[tuple[FunctionOutput, Any, Any]]:
        """Return (output, permissions field, transient field); None for a performance's fields."""
        return [
            (output, self[f"out-{number}"], self[f"out-{number}-transient"])
            if f"out-{number}" in self.fields
            else (output, None, None)
            for number, output in enumerate(self.outputs)
        ]

    def all_errors(self) -> list[tuple[str, str, str]]:
        """Return (id of the field, its label, message) of every error."""
        found = [("", "", str(error)) for error in self.non_field_errors()]
        for field in self:
            at = f"div_{field.auto_id}"
            found += [(at, str(field.label), str(error)) for error in field.errors]
        return found

    def skip_validation(self) -> None:
        """Show what was typed without validating it."""
        self._errors = ErrorDict()
        self.cleaned_data = {}

    # --- As JSON ----------------------------------------------------------------------------

    def body(self) -> dict[str, Any]:
        """Return the task as JSON, without values that could not be read."""
        values = self.cleaned_data
        return {
            "task_id": str(self.key),
            "function_key": str(self.function.pk),
            "worker": self.worker,
            "tag": values.get("tag", ""),
            "metadata": values.get("metadata", {}),
            "inputs": [ref for _name, ref in self._refs()],
            "outputs": {
                output.identifier: self._output(number, output)
                for number, output in enumerate(self.outputs)
            },
        }

    def _refs(self) -> list[tuple[str, dict[str, str]]]:
        """Return (name of the field, reference) of every source of an input."""
        found = []
        for number, declared in enumerate(self.inputs):
            name = f"in-{number}"
            value = self.cleaned_data.get(name) or []
            for item in value if isinstance(value, list) else [value]:
                source = item if isinstance(item, dict) else {"asset_key": str(item)}
                found.append((name, {"identifier": declared.identifier, **source}))
        return found

    def _output(self, number: int, output: FunctionOutput) -> dict[str, Any]:
        public, ids, transient = True, (), False
        if output.kind == AssetKind.MODEL:
            public, ids = self.cleaned_data[f"out-{number}"]
            transient = self.cleaned_data[f"out-{number}-transient"]
        permissions = {"public": public, "authorized_ids": list(ids)}
        return {"permissions": permissions, "transient": transient}

    # --- Problems ---------------------------------------------------------------------------

    def add_problems(self, problems: list[tuple[str, Problem]]) -> None:
        """Add problems to the fields that their paths within the task name."""
        # Read before the first error is added, which removes its field's value.
        ref_fields = [name for name, _ref in self._refs()]
        unread = set(self.errors)
        for path, problem in problems[:MAX_MESSAGES]:
            name = self._field_of(path, problem, ref_fields)
            if name not in unread:
                message = self.names.in_words(problem.sentence)
                self.add_error(name, ValidationError(message, code=problem.code.label))
        if more := len(problems[MAX_MESSAGES:]):
            self.add_error(None, more_problems_message(more))

    def _field_of(self, path: str, problem: Problem, ref_fields: list[str]) -> str | None:
        if found := re.match(r"inputs\[(\d+)\]", path):
            number = int(found[1])
            return ref_fields[number] if number < len(ref_fields) else None
        if path == "inputs":
            # An input is missing, or has too many sources.
            names = [declared.identifier for declared in self.inputs]
            wanted = problem.identifier
            return f"in-{names.index(wanted)}" if wanted in names else None
        for number, output in enumerate(self.outputs):
            if path.startswith(f"outputs.{output.identifier}.") and f"out-{number}" in self.fields:
                return f"out-{number}"
        first = {"compute_plan_key": "compute_plan"}.get(path, re.split(r"[.\[]", path)[0])
        if first == "worker" and self.dataset_field:
            return self.dataset_field
        return first if first in self.fields else None


class SingleTaskFields(TaskFields):
    """A task that is registered by itself, in a plan or without one."""

    def __init__(self, data: QueryDict, **options: Any) -> None:
        super().__init__(data, **options)
        plans = ComputePlan.objects.filter(owner=self.actor.organization_id)
        self.fields["compute_plan"] = AssetKeyField(
            plans.exclude(status__in=TERMINATED),
            required=False,
            label=_("Compute plan"),
            help_text=_("A plan of your organisation that is not cancelled or failed."),
            widget=AssetPicker(none=_("none: the task gets its own plan"), limit=10),
        )
        self.fields["own_key"] = key_field()

    def body(self) -> dict[str, Any]:
        plan = self.cleaned_data.get("compute_plan")
        key = self.cleaned_data.get("own_key") or self.key
        return super().body() | {"task_id": str(key), "compute_plan_key": plan and str(plan)}

    def _field_of(self, path: str, problem: Problem, ref_fields: list[str]) -> str | None:
        return "own_key" if path == "key" else super()._field_of(path, problem, ref_fields)


def _matching(sources: list[Source], chosen: list[str], term: str) -> list[Source]:
    """Return the last sources that match a search, and those that are chosen."""
    words = term.lower().split()
    found = [
        source
        for source in sources
        if source.value in chosen or all(word in source.label.lower() for word in words)
    ]
    return found[-MAX_OF_PLAN:]


def data_of(task: Mapping[str, Any], function: Function) -> dict[str, list[str]]:
    """Return what the form of this function would send for a task as JSON."""
    data: dict[str, list[str]] = {
        "key": [str(key_of(task) or "")],
        "function": [str(function.pk)],
        "worker": [str(task.get("worker") or "")],
        "tag": [str(task.get("tag") or "")],
        "metadata": [MetadataFormField().prepare_value(task.get("metadata") or "")],
    }
    if plan_key := task.get("compute_plan_key"):
        data["compute_plan"] = [str(plan_key)]
    refs = inputs_of(task)
    for number, declared in enumerate(function.inputs.all()):
        is_model = declared.kind == AssetKind.MODEL
        data[f"in-{number}"] = [
            value_of(ref) if is_model else str(ref.get("asset_key") or "")
            for ref in refs
            if ref.get("identifier") == declared.identifier
        ]
    given = outputs_of(task)
    for number, output in enumerate(function.outputs.all()):
        value = given.get(output.identifier, {})
        permissions = permissions_of(value)
        data[f"out-{number}-authorized_ids"] = list(permissions.authorized_ids)
        if permissions.public:
            data[f"out-{number}-public"] = ["on"]
        if is_transient(value):
            data[f"out-{number}-transient"] = ["on"]
    return {f"{PREFIX}-{name}": values for name, values in data.items()}


def has_form(function: Function) -> bool:
    """Return whether the function has few enough inputs and outputs for a form."""
    return len(function.inputs.all()) + len(function.outputs.all()) <= MAX_SLOTS


def prefetched(key: UUID | None) -> Function | None:
    """Return the function with its inputs and outputs; three queries."""
    rows = Function.objects.prefetch_related("inputs", "outputs").select_related("permissions")
    return rows.filter(pk=key).first() if key else None
