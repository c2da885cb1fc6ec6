"""Code that registers something: calls of the SDK and of curl."""

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

# The name, language and code of each snippet.
Snippets = list[tuple[str, str, str]]


class Raw(str):
    """Python code, which `literal` does not quote."""

    __slots__ = ()


def literal(value: Any, indent: int = 0) -> str:
    """Return a value as Python code, with one item per line if it is long."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, Mapping):
        items = [f"{key!r}: {literal(item, indent + 4)}" for key, item in value.items()]
        return _enclosed("{", items, "}", indent)
    if isinstance(value, list | tuple):
        return _enclosed("[", [literal(item, indent + 4) for item in value], "]", indent)
    return repr(value)


def call(name: str, indent: int = 0, /, **arguments: Any) -> Raw:
    """Return a call with keyword arguments."""
    items = [f"{key}={literal(value, indent + 4)}" for key, value in arguments.items()]
    return Raw(_enclosed(f"{name}(", items, ")", indent))


def _enclosed(start: str, items: list[str], end: str, indent: int) -> str:
    line = f"{start}{', '.join(items)}{end}"
    if len(line) + indent <= 80 and "\n" not in line:
        return line
    pad = " " * (indent + 4)
    return "\n".join([start, *(f"{pad}{item}," for item in items), " " * indent + end])


def sdk(imports: Iterable[str], host: str, statement: str) -> str:
    """Return a script that creates a client of the SDK and then runs `statement`."""
    names = ", ".join(sorted(imports))
    return (
        "from substra import Client\n"
        f"from substra.sdk.schemas import {names}\n\n"
        f'client = Client(backend_type="remote", url="{host}", token="YOUR TOKEN")\n'
        f"{statement}\n"
    )


def permissions_call(permissions: Any) -> Raw:
    """Return the call of `Permissions` for a PermissionsSpec."""
    ids = [] if permissions.public else list(permissions.authorized_ids)
    return call("Permissions", public=permissions.public, authorized_ids=ids)


def permissions_json(permissions: Any) -> dict[str, Any]:
    return {"public": permissions.public, "authorized_ids": list(permissions.authorized_ids)}


def curl(url: str, body: Any, files: Mapping[str, str] | None = None) -> str:
    """Return the call of curl that posts `body`, and files if there are any."""
    text = json.dumps(body, indent=2, ensure_ascii=False)
    lines = [f"curl {shlex.quote(url)}", '-H "Authorization: Token $TOKEN"']
    if files is None:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(text)}"]
    else:
        lines.append(f"-F {shlex.quote(f'json={text}')}")
        lines += [f"-F {shlex.quote(f'{name}=@{path}')}" for name, path in files.items()]
    return " \\\n  ".join(lines) + "\n"


def sdk_and_curl(
    request: Any,
    imports: Iterable[str],
    statement: str,
    url_name: str,
    body: Any,
    files: Mapping[str, str] | None = None,
    *,
    note: str = "",
) -> Snippets:
    """Return the script of the SDK and the call of curl; `note` follows their names."""
    return [
        (f"SDK{note}", "python", sdk(imports, api_url(request), statement)),
        (f"curl{note}", "bash", curl(api_url(request, url_name), body, files)),
    ]


def api_url(request: Any, name: str = "api-root") -> str:
    """Return the absolute URL of the API or of one of its resources."""
    url: str = request.build_absolute_uri(reverse(f"api:{name}"))
    return url.rstrip("/") if name == "api-root" else url
