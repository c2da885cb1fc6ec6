"""Function specs as plain values, and how to read inputs and outputs from JSON."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _

from ..common.parsing import Reader
from ..permissions.specs import PermissionsSpec


@dataclass(frozen=True, slots=True)
class FunctionInputSpec:
    identifier: str = ""
    kind: str = ""
    multiple: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class FunctionOutputSpec:
    identifier: str = ""
    kind: str = ""
    multiple: bool = False


@dataclass(slots=True)
class FunctionSpec:
    """The values that register a function."""

    name: str = ""
    description: File | None = None
    file: File | None = None
    permissions: PermissionsSpec = PermissionsSpec()
    metadata: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[FunctionInputSpec] = ()
    outputs: Sequence[FunctionOutputSpec] = ()


def _named_items(
    reader: Reader, data: Mapping[str, Any], field: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Read ``{identifier: {...}}``, or a list of objects that hold their ``identifier``."""
    value = data.get(field)
    if isinstance(value, list):
        pairs = [
            (item.get("identifier"), item) if isinstance(item, Mapping) else (None, None)
            for item in value
        ]
    else:
        pairs = list(reader.mapping(data, field).items())
    for identifier, item in pairs:
        if isinstance(identifier, str) and isinstance(item, Mapping):
            yield identifier, item
        else:
            reader.complain(field, _("each must be an object with an identifier and a kind."))


def read_inputs(
    reader: Reader, data: Mapping[str, Any], field: str = "inputs"
) -> list[FunctionInputSpec]:
    """Read a function's inputs; absent or null is none."""
    found = []
    for identifier, item in _named_items(reader, data, field):
        with reader.within(f"{field}.{identifier}"):
            kind = reader.text(item, "kind")
            multiple, optional = reader.flag(item, "multiple"), reader.flag(item, "optional")
        found.append(FunctionInputSpec(identifier, kind, multiple, optional))
    return found


def read_outputs(
    reader: Reader, data: Mapping[str, Any], field: str = "outputs"
) -> list[FunctionOutputSpec]:
    """Read a function's outputs; absent or null is none."""
    found = []
    for identifier, item in _named_items(reader, data, field):
        with reader.within(f"{field}.{identifier}"):
            kind, multiple = reader.text(item, "kind"), reader.flag(item, "multiple")
        found.append(FunctionOutputSpec(identifier, kind, multiple))
    return found
