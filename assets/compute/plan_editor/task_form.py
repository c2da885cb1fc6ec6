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
from django.utils.translation import gettext_lazy as _

from ...accounts.models import Organization
from ...common.errors import Problem
from ...common.forms.fields import MetadataFormField, key_field, text_field
from ...common.forms.pickers import AssetPicker
from ...common.forms.problem_form import MAX_MESSAGES, ProblemForm, more_problems_message
from ...common.kinds import AssetKind
from ...common.parsing import as_key
from ...datasets.models import Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ...permissions.forms import PermissionsField, share_organizations
from ..models import ComputePlan, Task
from ..statuses import TERMINATED
from .candidates import Offers, grouped, permissions_in, samples_of, usable_datasets, value_of
from .draft import Draft, inputs_of, key_of, outputs_of
from .fields import OfferedAssetsField, OfferedField, SourcesField, SourcesWidget, WorkerField
from .names import Names

PREFIX = "task"
# How many data samples have a box of their own; the others are found by their key.
SAMPLES = 200
# Each input is a search of its own, each output a list of all organisations.
MAX_SLOTS = 40
# A select or a radio button that changes what other fields offer.
_REFRESH = {"hx-post": "", "hx-trigger": "change", "hx-vals": '{"action": "refresh"}'}


class TaskFields(ProblemForm):
    """A task of a draft, while it is being filled in.

    Args:
        data: what was typed, or `data_of` a task.
        function: what the task runs.
        draft: the tasks beside it, whose outputs it may take.
        names: how these are called.
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
        if not self.takes_data:
            self.fields["worker"] = WorkerField(
                Organization.objects.all(),
                help_text="The organisation that would run the task.",
                widget=forms.Select(attrs=_REFRESH),
            )
        for number, output in enumerate(self.outputs):
            if output.kind == AssetKind.MODEL:
                self._add_output(number, output)
        share_organizations(self.fields.values())

    # --- Fields -----------------------------------------------------------------------------

    @property
    def takes_data(self) -> bool:
        return any(declared.kind == AssetKind.DATA_MANAGER for declared in self.inputs)

    @cached_property
    def dataset(self) -> Dataset | None:
        """The dataset that was chosen, whether it may be used or not."""
        for number, declared in enumerate(self.inputs):
            if declared.kind == AssetKind.DATA_MANAGER:
                key = as_key(self.data.get(f"{PREFIX}-in-{number}", ""))
                return Dataset.objects.filter(pk=key).first() if key else None
        return None

    @property
    def worker(self) -> str:
        """The organisation that would run the task: data never leave theirs."""
        if self.takes_data:
            return self.dataset.owner_id if self.dataset else ""
        # PostgreSQL cannot even be asked for an id with NUL, which nobody has.
        return str(self.data.get(f"{PREFIX}-worker", "")).replace("\0", "")

    def _input_field(self, declared: FunctionInput) -> forms.Field:
        options: dict[str, Any] = {
            "label": declared.identifier,
            "required": not declared.optional,
            "help_text": "Optional: it may stay empty." if declared.optional else "",
        }
        if declared.kind == AssetKind.DATA_MANAGER:
            return OfferedField(
                usable_datasets(self.actor.organization_id), widget=AssetPicker(), **options
            )
        if declared.kind == AssetKind.DATA_SAMPLE:
            return self._samples_field(declared, options)
        return self._models_field(declared, options)

    def _samples_field(self, declared: FunctionInput, options: dict[str, Any]) -> forms.Field:
        rows = samples_of(self.dataset.pk if self.dataset else None)
        picker = AssetPicker(
            multiple=declared.multiple, search=(), search_label=_("Search by key"), limit=SAMPLES
        )
        if self.dataset is None:
            options["help_text"] = "Choose the dataset first: its data samples are offered then."
        field = OfferedAssetsField if declared.multiple else OfferedField
        return field(rows, widget=picker, **options)

    def _models_field(self, declared: FunctionInput, options: dict[str, Any]) -> forms.Field:
        offers = Offers(declared, self.worker, self.actor.organization_id or "")
        widget = SourcesWidget(multiple=declared.multiple, none="none" if declared.optional else "")

        def groups(chosen: list[str], term: str) -> list[Any]:
            own = offers.of_draft(self.draft, self.names, self.key)
            found = [("Tasks of this draft", _narrowed(own, chosen, term))]
            if self.plan:
                registered = offers.of_plan(self.plan.pk, term)
                found.append(("Tasks that are registered in this plan", registered))
            others = offers.of_others(self.plan.pk if self.plan else None, term)
            found += [
                ("Tasks that are registered" if not self.plan else "Tasks of other plans", others),
                ("Models", offers.models(term)),
            ]
            return grouped(found, chosen)

        widget.groups = groups
        return SourcesField(widget=widget, **options)

    def _add_output(self, number: int, output: FunctionOutput) -> None:
        permissions = PermissionsField(label=output.identifier, may="use and download this model")
        permissions.bind_actor(self.actor)
        self.fields[f"out-{number}"] = permissions
        self.fields[f"out-{number}-transient"] = forms.BooleanField(
            label="Delete it once no task needs it any more", required=False
        )

    # --- For the page -----------------------------------------------------------------------

    def input_rows(self) -> list[tuple[Any, FunctionInput]]:
        return [(self[f"in-{number}"], declared) for number, declared in enumerate(self.inputs)]

    def output_rows(self) -> list[tuple[FunctionOutput, Any, Any]]:
        """Return (output, its permissions, its transience); performances are fixed: None."""
        return [
            (output, self[f"out-{number}"], self[f"out-{number}-transient"])
            if f"out-{number}" in self.fields
            else (output, None, None)
            for number, output in enumerate(self.outputs)
        ]

    def all_errors(self) -> list[tuple[str, str, str]]:
        """Return (id of the field, its label, what is wrong) of every error."""
        found = [("", "", str(error)) for error in self.non_field_errors()]
        for field in self:
            at = f"div_{field.auto_id}"
            found += [(at, str(field.label), str(error)) for error in field.errors]
        return found

    def skip_validation(self) -> None:
        """Show what was typed without judging it."""
        self._errors = ErrorDict()
        self.cleaned_data = {}

    # --- As JSON ----------------------------------------------------------------------------

    def body(self) -> dict[str, Any]:
        """Return the task as JSON; what could not be read is left out."""
        values = self.cleaned_data
        return {
            "task_id": str(self.key),
            "function_key": str(self.function.pk),
            "worker": self.worker,
            "tag": values.get("tag", ""),
            "metadata": values.get("metadata", {}),
            "inputs": [ref for _, ref in self._refs()],
            "outputs": {
                output.identifier: self._output(number, output)
                for number, output in enumerate(self.outputs)
            },
        }

    def _refs(self) -> list[tuple[str, dict[str, str]]]:
        """Return (the field that says it, the reference) of everything that feeds the task."""
        found = []
        for number, declared in enumerate(self.inputs):
            name = f"in-{number}"
            value = self.cleaned_data.get(name) or []
            for item in value if isinstance(value, list) else [value]:
                source = item if isinstance(item, dict) else {"asset_key": str(item)}
                found.append((name, {"identifier": declared.identifier, **source}))
        return found

    def _output(self, number: int, output: FunctionOutput) -> dict[str, Any]:
        if output.kind != AssetKind.MODEL:
            return {"permissions": {"public": True, "authorized_ids": []}, "transient": False}
        permissions = self.cleaned_data[f"out-{number}"]
        return {
            "permissions": {
                "public": permissions.public,
                "authorized_ids": list(permissions.authorized_ids),
            },
            "transient": self.cleaned_data[f"out-{number}-transient"],
        }

    # --- What is wrong ----------------------------------------------------------------------

    def show_all(self, problems: list[tuple[str, Problem]]) -> None:
        """Show problems at the fields that their paths within the task are about."""
        # Known before the first is shown: a field with an error has no value any more.
        places = [name for name, _ in self._refs()]
        unread = set(self.errors)
        for path, problem in problems[:MAX_MESSAGES]:
            name = self._field_of(path, problem, places)
            if name not in unread:
                said = self.names.in_words(problem.sentence)
                self.add_error(name, ValidationError(said, code=problem.code.label))
        if more := len(problems[MAX_MESSAGES:]):
            self.add_error(None, more_problems_message(more))

    def _field_of(self, path: str, problem: Problem, places: list[str]) -> str | None:
        if found := re.match(r"inputs\[(\d+)\]", path):
            return places[int(found[1])] if int(found[1]) < len(places) else None
        if path == "inputs":
            # About an input that is missing, or given too often: the message quotes which.
            return next(
                (
                    f"in-{number}"
                    for number, declared in enumerate(self.inputs)
                    if f'"{declared.identifier}"' in problem.message
                ),
                None,
            )
        for number, output in enumerate(self.outputs):
            if path.startswith(f"outputs.{output.identifier}.") and f"out-{number}" in self.fields:
                return f"out-{number}"
        first = {"compute_plan_key": "compute_plan"}.get(path, re.split(r"[.\[]", path)[0])
        if first == "worker" and self.takes_data:
            first = next(
                f"in-{number}"
                for number, declared in enumerate(self.inputs)
                if declared.kind == AssetKind.DATA_MANAGER
            )
        return first if first in self.fields else None


class LoneTaskFields(TaskFields):
    """A task that is registered by itself, in a plan or without one."""

    def __init__(self, data: QueryDict, **options: Any) -> None:
        super().__init__(data, **options)
        plans = ComputePlan.objects.filter(owner=self.actor.organization_id)
        self.fields["compute_plan"] = OfferedField(
            plans.exclude(status__in=TERMINATED),
            required=False,
            label="Compute plan",
            help_text="A plan of your organisation that takes tasks.",
            widget=AssetPicker(none="none: the task gets a plan of its own", limit=10),
        )
        self.fields["own_key"] = key_field()

    def body(self) -> dict[str, Any]:
        plan = self.cleaned_data.get("compute_plan")
        key = self.cleaned_data.get("own_key") or self.key
        return super().body() | {"task_id": str(key), "compute_plan_key": plan and str(plan)}

    def _field_of(self, path: str, problem: Problem, places: list[str]) -> str | None:
        return "own_key" if path == "key" else super()._field_of(path, problem, places)


def _narrowed(sources: list[Any], chosen: list[str], term: str) -> list[Any]:
    """Return the last tasks of a draft that match a search, and those that are chosen."""
    words, kept = term.lower().split(), set(chosen)
    found = [
        source
        for source in sources
        if source.value in kept or all(word in source.label.lower() for word in words)
    ]
    return found[-60:]


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
        fed = [ref for ref in refs if ref.get("identifier") == declared.identifier]
        is_model = declared.kind == AssetKind.MODEL
        values = [value_of(ref) if is_model else str(ref.get("asset_key") or "") for ref in fed]
        data[f"in-{number}"] = values
    given = outputs_of(task)
    for number, output in enumerate(function.outputs.all()):
        value = given.get(output.identifier, {})
        permissions = permissions_in(value)
        data[f"out-{number}-authorized_ids"] = list(permissions.authorized_ids)
        if permissions.public:
            data[f"out-{number}-public"] = ["on"]
        if value.get("transient") or value.get("is_transient"):
            data[f"out-{number}-transient"] = ["on"]
    return {f"{PREFIX}-{name}": values for name, values in data.items()}


def can_be_built(function: Function) -> bool:
    """Has the function few enough inputs and outputs for a form?"""
    return len(function.inputs.all()) + len(function.outputs.all()) <= MAX_SLOTS


def prefetched(key: UUID | None) -> Function | None:
    """Return the function with its inputs and outputs; three queries."""
    rows = Function.objects.prefetch_related("inputs", "outputs").select_related("permissions")
    return rows.filter(pk=key).first() if key else None
