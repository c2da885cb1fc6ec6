"""Hidden files and folders: what systems, network shares and programs leave beside people's files.

The page that uploads folders gets the same list, so the browser and the server agree.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from django.utils.translation import gettext as _

# In lower case.
HIDDEN_PREFIXES = (".", "~$")
HIDDEN_NAMES = frozenset(
    [
        *("__macosx", "icon\r", "network trash folder", "temporary items"),
        *("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "recycler"),
        *("system volume information", "lost+found", "~snapshot"),
        *("@eadir", "@tmp", "#recycle", "#snapshot", "@recycle", "@recently-snapshot"),
        "__pycache__",
    ]
)
# They begin with a dot, but data or builds need them.
SHOWN_NAMES = frozenset(
    [".zarray", ".zattrs", ".zgroup", ".zmetadata", ".dockerignore", ".info", ".workspace"]
)
# How many names a message lists.
MAX_LISTED = 3


def hidden_names() -> dict[str, list[str]]:
    """Return the list as JSON for `folders.js`, which packs folders in the browser."""
    return {
        "starts": [*HIDDEN_PREFIXES],
        "names": sorted(HIDDEN_NAMES),
        "shown": sorted(SHOWN_NAMES),
    }


def is_hidden(name: str) -> bool:
    """Return whether a file or folder with this name is no part of people's data."""
    lower = name.lower()
    matches = lower in HIDDEN_NAMES or lower.startswith(HIDDEN_PREFIXES)
    return matches and lower not in SHOWN_NAMES


def hidden_paths(paths: Iterable[str]) -> Iterator[str]:
    """Yield the paths of files that are hidden or in a hidden folder."""
    return (path for path in paths if any(map(is_hidden, path.split("/"))))


def some_of(names: Iterable[str]) -> str:
    """Return the first names as a text, such as "a, b, c, …"."""
    first = list(islice(names, MAX_LISTED + 1))
    return ", ".join([*first[:MAX_LISTED], *("…" for _name in first[MAX_LISTED:])])


def hidden_advice(paths: Iterable[str]) -> Iterator[str]:
    """Yield a warning if an archive has hidden files, which are registered with the others."""
    if found := some_of(hidden_paths(paths)):
        yield _(
            "The archive has hidden files: %(names)s. They are registered with the others. "
            "Unless you need them, make the archive again without them."
        ) % {"names": found}
