"""Queries about functions for responses, lists and pages."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet

from ..common.db.aggregates import counts_by, related_model, related_rows
from ..common.db.compiled import Compiled, Instances, Rows, key_text, stored_json
from ..common.db.nested import JSONRows, JSONText
from ..permissions.queries import permission_columns
from .models import Function, FunctionInput, FunctionOutput, FunctionStep
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec

# As in a response.
_INPUT = JSONText(
    '?:{"kind":?,"optional":?,"multiple":?}', "identifier", "kind", "optional", "multiple"
)
_OUTPUT = JSONText('?:{"kind":?,"multiple":?}', "identifier", "kind", "multiple")
_KIND = JSONText('{"identifier":?,"kind":?}', "identifier", "kind")


def _slots(model: Any, item: JSONText, brackets: str) -> JSONRows:
    """Return the column with the inputs or the outputs of each function."""
    return JSONRows(
        model.objects.filter(function_id=OuterRef("pk")).order_by("position"), item, brackets
    )


# The columns of each function in a response.
function_rows = Rows(
    Function,
    *(key_text("key"), "name", "owner_id", "creation_date", stored_json("metadata"), "status"),
    *("description_checksum", "archive_checksum"),
    *permission_columns("permissions"),
    _slots(FunctionInput, _INPUT, "{}"),
    _slots(FunctionOutput, _OUTPUT, "{}"),
)
# Each function's name, inputs and outputs, as a graph shows them.
graphed_functions = Rows(
    Function,
    *(key_text("key"), "name"),
    _slots(FunctionInput, _KIND, "[]"),
    _slots(FunctionOutput, _KIND, "[]"),
)

# Inputs or outputs by identifier, as in a response.
Slots = dict[str, dict[str, Any]]


def inputs_of(keys: Collection[UUID]) -> dict[UUID, Slots]:
    """Return each function's inputs by its key; one query."""
    return _slots_of(_inputs(keys), "kind", "optional", "multiple")


def outputs_of(keys: Collection[UUID]) -> dict[UUID, Slots]:
    """Return each function's outputs by its key; one query."""
    return _slots_of(_outputs(keys), "kind", "multiple")


def _slots_of(rows: Sequence[Sequence[Any]], *names: str) -> dict[UUID, Slots]:
    found: dict[UUID, Slots] = defaultdict(dict)
    for key, identifier, *values in rows:
        found[key][identifier] = dict(zip(names, values, strict=True))
    return found


@Compiled
def _inputs(keys: Collection[UUID]) -> QuerySet:
    rows = FunctionInput.objects.filter(function_id__any=keys).order_by("function_id", "position")
    return rows.values_list("function_id", "identifier", "kind", "optional", "multiple")


@Compiled
def _outputs(keys: Collection[UUID]) -> QuerySet:
    rows = FunctionOutput.objects.filter(function_id__any=keys).order_by("function_id", "position")
    return rows.values_list("function_id", "identifier", "kind", "multiple")


def task_counts_of(keys: Collection[UUID], limit: int | None = None) -> dict[UUID, int]:
    """Return how many tasks run each function; one query."""
    return counts_by(related_model(Function, "tasks"), "function_id", keys, limit)


@Instances
def tasks_running(keys: Collection[UUID]) -> QuerySet:
    """Return the tasks that run a function, the newest first."""
    tasks: QuerySet = related_rows(Function, "tasks").filter(function_id__only=keys)
    return tasks.select_related("function", "compute_plan").order_by("-creation_date", "-pk")


def steps_of(key: UUID) -> dict[str, int]:
    """Return how many microseconds each step of a function's build took, in order; one query."""
    took = dict(_steps([key]))
    return {step.value: took[step] for step in FunctionStep if step in took}


@Compiled
def _steps(keys: Collection[UUID]) -> QuerySet:
    # The rows are in the room above.
    rows = related_rows(Function, "steps").filter(function_id__only=keys).order_by()
    return rows.values_list("step", "duration")


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
