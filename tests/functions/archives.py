"""Archives that pages look into, and functions that have them."""

from typing import Any

from assets.accounts.models import User
from assets.functions.models import Function
from tests.builders import make_function, upload, zip_of

DOCKERFILE = b"FROM python:3.11-slim\nCOPY function.py .\nENTRYPOINT python function.py\n"
FILES = {
    "src/util.py": b"def mean(values): ...\n",
    "function.py": "# Été\nprint('trained')\n".encode(),
    "Dockerfile": DOCKERFILE,
    "weights.bin": b"\0\1\2",
    "empty.txt": b"",
    "large.txt": b"x" * 200_001,
}


def function_with(actor: User, archive: bytes | None = None, **changes: Any) -> Function:
    file = upload(zip_of(FILES) if archive is None else archive, "function.zip")
    return make_function(actor, file=file, **changes)
