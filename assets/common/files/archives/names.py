"""Entries of archives, and the paths that their names may be."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

_SEPARATORS = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive.

    Attributes:
        name: its path, without a leading ``./``.
        size: of its content in bytes, unpacked.
        is_folder: whether it is a folder.
        packed_by: the compression that keeps us from reading its content; blank if none does.
        oddities: what its user should know, a sentence each.
        link_to: the name of the earlier file whose content it shares; blank for its own.
    """

    name: str
    size: int
    is_folder: bool = False
    packed_by: str = ""
    oddities: tuple[str, ...] = ()
    link_to: str = ""


class UnsafeArchive(Exception):
    """The archive cannot be read, or holds what may not be unpacked; the text says which."""


def plain_path(raw: str) -> str:
    """Return the path that an entry's name is, ``.`` for the archive's own folder.

    Raises:
        UnsafeArchive: the name is not UTF-8, or some program could unpack it elsewhere.
    """
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise not_utf8(raw) from None
    check_stays_inside(raw)
    if "\\" in raw:
        raise UnsafeArchive(
            f"the entry {raw!r} has an unsafe path: it holds a backslash, which is a part of the "
            "name for some programs and begins a folder for others. Rename that file, or archive "
            "the folder with '/' between its names."
        )
    return str(PurePosixPath(raw))


def not_utf8(raw: str | bytes) -> UnsafeArchive:
    """Return the refusal of a name that no text is."""
    return UnsafeArchive(f"the name of the entry {raw!r} is not UTF-8. Rename that file.")


def check_stays_inside(raw: str) -> None:
    """Raise `UnsafeArchive` when a name could lead out of the folder that it is unpacked in.

    Some programs take a backslash as a slash, and Windows drops dots and spaces at the end of a
    name. So both kinds of separator count here, and ``.. `` is as good as ``..``.
    """
    parts = [part for part in _SEPARATORS.split(raw) if part not in ("", ".")]
    if (
        "\0" in raw
        or raw.startswith(("/", "\\"))
        or any(part.startswith("..") and not part.strip(". ") for part in parts)
        or (parts and parts[0][1:2] == ":")
    ):
        raise UnsafeArchive(
            f"the entry {raw!r} has an unsafe path. Use relative paths without '..', "
            "drive letters or backslashes."
        )
