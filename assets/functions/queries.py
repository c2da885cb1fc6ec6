"""Queries about functions for responses, lists and pages."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from ..common.db.aggregates import counts_by, related_rows
from ..common.db.compiled import Compiled, key_text, stored_json
from ..permissions.queries import permission_columns
from .models import Function, FunctionInput, FunctionOutput
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec


@Compiled
def function_rows(keys: Collection[UUID]) -> QuerySet:
    """Return the columns of each function in a response."""
    return Function.objects.filter(key__any=keys).values_list(
        *(key_text("key"), "name", "owner_id", "creation_date", stored_json("metadata"), "status"),
        *("description_checksum", "archive_checksum"),
        *permission_columns("permissions"),
    )


@Compiled
def _inputs(keys: Collection[UUID]) -> QuerySet:
    rows = FunctionInput.objects.filter(function_id__any=keys).order_by("function_id", "position")
    return rows.values_list(key_text("function_id"), "identifier", "kind", "optional", "multiple")


@Compiled
def _outputs(keys: Collection[UUID]) -> QuerySet:
    rows = FunctionOutput.objects.filter(function_id__any=keys).order_by("function_id", "position")
    return rows.values_list(key_text("function_id"), "identifier", "kind", "multiple")


# Inputs or outputs by identifier, as in a response.
Slots = dict[str, dict[str, Any]]


def inputs_by_text(keys: Collection[str]) -> dict[str, Slots]:
    """Return each function's inputs; one query."""
    inputs: dict[str, Slots] = defaultdict(dict)
    for key, identifier, kind, optional, multiple in _inputs(keys):
        inputs[key][identifier] = {"kind": kind, "optional": optional, "multiple": multiple}
    return inputs


def outputs_by_text(keys: Collection[str]) -> dict[str, Slots]:
    """Return each function's outputs; one query."""
    outputs: dict[str, Slots] = defaultdict(dict)
    for key, identifier, kind, multiple in _outputs(keys):
        outputs[key][identifier] = {"kind": kind, "multiple": multiple}
    return outputs


def inputs_of(keys: Collection[UUID]) -> dict[UUID, Slots]:
    """Return each function's inputs by its key; one query."""
    return _by_key(inputs_by_text([str(key) for key in keys]))


def outputs_of(keys: Collection[UUID]) -> dict[UUID, Slots]:
    """Return each function's outputs by its key; one query."""
    return _by_key(outputs_by_text([str(key) for key in keys]))


def _by_key(found: dict[str, Slots]) -> dict[UUID, Slots]:
    return defaultdict(dict, {UUID(text): slots for text, slots in found.items()})


def task_counts_of(keys: Collection[UUID], limit: int | None = None) -> dict[UUID, int]:
    """Return how many tasks run each function; one query."""
    return counts_by(related_rows(Function, "tasks"), "function_id", keys, limit)


def tasks_running(function: Function) -> QuerySet:
    """Return the tasks that run a function, the newest first."""
    tasks: QuerySet = related_rows(Function, "tasks").filter(function=function)
    return tasks.select_related("function", "compute_plan").order_by("-creation_date", "-pk")


def spec_of(function: Function) -> FunctionSpec:
    """Return the spec that a function was registered with, without its files; two queries."""
    return FunctionSpec(
        name=function.name,
        description=None,
        file=None,
        permissions=function.permissions.value,
        metadata=function.metadata,
        inputs=[
            FunctionInputSpec(row.identifier, row.kind, row.multiple, row.optional)
            for row in function.inputs.all()
        ],
        outputs=[
            FunctionOutputSpec(row.identifier, row.kind, row.multiple)
            for row in function.outputs.all()
        ],
    )
