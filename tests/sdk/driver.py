"""Drives the real SDK: run by the Python of an environment that has it.

Every client has a name. Specs arrive as the plain objects that `substra.Client` takes; what it
returns goes back as plain values too, after the SDK's own models have read it.
"""

import gc
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import substra
from pydantic import BaseModel

from .peers import answer

clients: dict[str, substra.Client] = {}


def new_client(**settings: str) -> substra.Client:
    return substra.Client(backend_type=substra.BackendType.REMOTE, **settings)


def connect(name: str, **settings: str) -> str | None:
    """Make a client; return its token, which it may have got by signing in."""
    clients[name] = new_client(**settings)
    return clients[name]._token


def call(name: str, method: str, args: tuple, kwargs: dict[str, Any]) -> Any:
    return plain(getattr(clients[name], method)(*args, **kwargs))


def in_with_block(**settings: str) -> list:
    """Sign in for the length of a `with` block; return the token and who it was."""
    with new_client(**settings) as client:
        return [client._token, client.organization_info().organization_id]


def forget(name: str) -> None:
    """Have the client collected as garbage."""
    del clients[name]
    gc.collect()


def methods() -> list[str]:
    """Return the public methods of a client."""
    return [
        name
        for name in dir(substra.Client)
        if not name.startswith("_") and callable(getattr(substra.Client, name))
    ]


def plain(value: Any) -> Any:
    """Return the SDK's models as plain values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value) if isinstance(value, Path) else value


if __name__ == "__main__":
    functions = (connect, call, in_with_block, forget, methods)
    answer(Connection(int(sys.argv[1])), {function.__name__: function for function in functions})
