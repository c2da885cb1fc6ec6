"""Code that registers functions, with the SDK and with curl."""

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
        inputs=[_input(item) for item in spec.inputs],
        outputs=[_output(item) for item in spec.outputs],
        permissions=permissions_call(spec.permissions),
        metadata=dict(spec.metadata),
    )
    body = {
        "name": spec.name,
        "inputs": {
            item.identifier: {
                "kind": item.kind,
                "multiple": item.multiple,
                "optional": item.optional,
            }
            for item in spec.inputs
        },
        "outputs": {
            item.identifier: {"kind": item.kind, "multiple": item.multiple} for item in spec.outputs
        },
        "permissions": permissions_json(spec.permissions),
        "metadata": dict(spec.metadata),
    }
    names = {"FunctionSpec", "Permissions"}
    names |= {"AssetKind", "FunctionInputSpec"} if spec.inputs else set()
    names |= {"AssetKind", "FunctionOutputSpec"} if spec.outputs else set()
    files = {"file": archive, "description": description}
    code = f"key = client.add_function({statement})"
    return sdk_and_curl(request, names, code, "function-list", body, files)


def _kind(kind: str) -> Raw:
    """Return a kind as the SDK spells it; an unknown kind is repeated unchanged."""
    known = kind in (*INPUT_KINDS, *OUTPUT_KINDS)
    return Raw(f"AssetKind.{kind.removeprefix('ASSET_').lower()}" if known else repr(kind))


def _input(item: FunctionInputSpec) -> Raw:
    return call(
        "FunctionInputSpec",
        8,
        identifier=item.identifier,
        kind=_kind(item.kind),
        multiple=item.multiple,
        optional=item.optional,
    )


def _output(item: FunctionOutputSpec) -> Raw:
    return call(
        "FunctionOutputSpec",
        8,
        identifier=item.identifier,
        kind=_kind(item.kind),
        multiple=item.multiple,
    )
