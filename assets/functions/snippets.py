"""Code that registers functions, with the SDK and with curl."""

from dataclasses import asdict
from typing import Any

from ..common.kinds import INPUT_KINDS, OUTPUT_KINDS
from ..common.pages.snippets import (
    Raw,
    Snippets,
    call,
    permissions_call,
    permissions_json,
    sdk_and_curl,
)
from .specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec


def function_snippets(spec: FunctionSpec, request: Any) -> Snippets:
    """Return the code that registers such a function."""
    archive = getattr(spec.file, "name", None) or "function.zip"
    description = getattr(spec.description, "name", None) or "description.md"
    statement = call(
        "FunctionSpec",
        name=spec.name,
        file=archive,
        description=description,
        inputs=[_slot_call(item) for item in spec.inputs],
        outputs=[_slot_call(item) for item in spec.outputs],
        permissions=permissions_call(spec.permissions),
        metadata=dict(spec.metadata),
    )
    body = {
        "name": spec.name,
        "inputs": dict(map(_slot_json, spec.inputs)),
        "outputs": dict(map(_slot_json, spec.outputs)),
        "permissions": permissions_json(spec.permissions),
        "metadata": dict(spec.metadata),
    }
    slots = (*spec.inputs, *spec.outputs)
    names = {"FunctionSpec", "Permissions", *(type(item).__name__ for item in slots)}
    names |= {"AssetKind"} if slots else set()
    files = {"file": archive, "description": description}
    code = f"key = client.add_function({statement})"
    return sdk_and_curl(request, names, code, "function-list", body, files)


def _slot_json(item: FunctionInputSpec | FunctionOutputSpec) -> tuple[str, dict[str, Any]]:
    """Return the identifier of an input or output, and the rest of it as the API has it."""
    values = asdict(item)
    return values.pop("identifier"), values


def _slot_call(item: FunctionInputSpec | FunctionOutputSpec) -> Raw:
    """Return the call that makes an input or output in the SDK, which has the same classes."""
    return call(type(item).__name__, 8, **asdict(item) | {"kind": _kind(item.kind)})


def _kind(kind: str) -> Raw:
    """Return a kind as the SDK spells it; an unknown kind is repeated unchanged."""
    known = kind in (*INPUT_KINDS, *OUTPUT_KINDS)
    return Raw(f"AssetKind.{kind.removeprefix('ASSET_').lower()}" if known else repr(kind))
