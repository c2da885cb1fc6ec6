"""Checks what a function wrote: one regular file for each output, a number for a performance."""

import json
import math
import os
import stat
from pathlib import Path

from .engines.limits import size_text

_MAX_PERFORMANCE_SIZE = 64 * 1024


class BadOutput(Exception):
    """An output is not what it has to be; the text says why, and what to do."""


def check_file(path: Path, identifier: str, limit: int) -> None:
    """Return if there is one regular file of at most `limit` bytes. Raises: BadOutput if not."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        raise BadOutput(
            f'The function ended without writing the output "{identifier}". Write one file to the '
            "path that it gets."
        ) from None
    if stat.S_ISDIR(found.st_mode):
        kind = "a folder"
    elif stat.S_ISLNK(found.st_mode):
        kind = "a link"
    elif not stat.S_ISREG(found.st_mode):
        kind = "no regular file"
    elif found.st_size > limit:
        raise BadOutput(
            f'The output "{identifier}" has {size_text(found.st_size)}, and {size_text(limit)} are '
            "allowed. Write less, or start the runner with a higher --output-limit."
        )
    else:
        return
    raise BadOutput(f'The output "{identifier}" is {kind}. Write one file instead.')


def read_performance(path: Path, identifier: str) -> float:
    """Return the number that a performance's file has, as JSON ``{"all": number}``.

    Raises:
        BadOutput: it has something else.
    """
    check_file(path, identifier, _MAX_PERFORMANCE_SIZE)
    # It was a regular file, and the function has ended: a link is followed no more.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with open(descriptor, "rb") as file:  # noqa: PTH123  it is open already
        content = file.read(_MAX_PERFORMANCE_SIZE)
    try:
        value = json.loads(content)["all"]
    except (ValueError, KeyError, TypeError, RecursionError):
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = content[:100].decode(errors="backslashreplace")
        raise BadOutput(
            f'The performance "{identifier}" is no number: its file has {shown!r}. Write a JSON '
            'object such as {"all": 0.5}, as substratools.save_performance does.'
        )
    return _finite(value, identifier)


def _finite(value: float, identifier: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise BadOutput(
            f'The performance "{identifier}" is {number}, which is not finite. Find out why the '
            "function computes it, and write a finite number."
        )
    return number
