"""Hidden files and folders: what systems, shares and programs leave beside people's files.

The list of their names is in the script that packs folders in the browser, so that there is one.
"""

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from typing import Any

from django.conf import settings

# How many of them a text names.
NAMED = 3


@cache
def _rule() -> dict[str, Any]:
    script = (settings.BASE_DIR / "static/registrar/folders.js").read_text(encoding="utf-8")
    found = re.search(r"const HIDDEN = (\{.*?\});", script, re.DOTALL)
    assert found, "folders.js has no list of hidden names"  # noqa: S101
    rule: dict[str, Any] = json.loads(found[1])
    return rule


def is_hidden(name: str) -> bool:
    """Return whether a file or folder of this name is no part of people's data."""
    rule, lower = _rule(), name.lower()
    is_named = lower in rule["names"] or lower.startswith(tuple(rule["starts"]))
    return is_named and lower not in rule["shown"]


def hidden_paths(paths: Iterable[str]) -> Iterator[str]:
    """Return those of the paths that are hidden, or are in a hidden folder."""
    return (path for path in paths if any(map(is_hidden, path.split("/"))))


def some_of(names: Iterable[str]) -> str:
    """Return the first few of the names as a text."""
    first = list(islice(names, NAMED + 1))
    return ", ".join([*first[:NAMED], *("…" for _ in first[NAMED:])])


def hidden_advice(paths: Iterable[str]) -> Iterator[str]:
    """Yield advice when an archive holds hidden files, which are registered with the others."""
    if found := some_of(hidden_paths(paths)):
        yield (
            f"It holds hidden files: {found}. They are registered with the others; "
            "archive it again without them unless you need them."
        )
