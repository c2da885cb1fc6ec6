"""What lists and pages ask about functions."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from .models import FunctionInput, FunctionOutput


def inputs_of(keys: Collection[UUID]) -> dict[UUID, dict[str, dict[str, Any]]]:
    """Return each function's inputs by identifier, as the wire has them; one query."""
    inputs: dict[UUID, dict[str, dict[str, Any]]] = defaultdict(dict)
    rows = FunctionInput.objects.filter(function_id__any=keys).order_by("function", "position")
    for key, identifier, kind, optional, multiple in rows.values_list(
        "function_id", "identifier", "kind", "optional", "multiple"
    ):
        inputs[key][identifier] = {"kind": kind, "optional": optional, "multiple": multiple}
    return inputs


def outputs_of(keys: Collection[UUID]) -> dict[UUID, dict[str, dict[str, Any]]]:
    """Return each function's outputs by identifier, as the wire has them; one query."""
    outputs: dict[UUID, dict[str, dict[str, Any]]] = defaultdict(dict)
    rows = FunctionOutput.objects.filter(function_id__any=keys).order_by("function", "position")
    for key, identifier, kind, multiple in rows.values_list(
        "function_id", "identifier", "kind", "multiple"
    ):
        outputs[key][identifier] = {"kind": kind, "multiple": multiple}
    return outputs
