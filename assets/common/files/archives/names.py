"""Entries of archives, and their paths, which must stay inside the folder of the archive."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from django.utils.translation import gettext as _

_SEPARATORS = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive.

    Attributes:
        name: its path, without a leading ``./``.
        size: bytes of its unpacked content.
        is_folder: whether it is a folder.
        packed_by: a compression that cannot be read here; blank if the content can be read.
        warnings: sentences for the user.
        link_to: the name of an earlier file, of which it is a hard link; blank for other files.
    """

    name: str
    size: int
    is_folder: bool = False
    packed_by: str = ""
    warnings: tuple[str, ...] = ()
    link_to: str = ""


class UnsafeArchive(Exception):
    """The archive cannot be read, or cannot be unpacked safely; the text says why."""


def plain_path(raw: str) -> str:
    """Return the path of an entry with this name; ``.`` is the archive's own folder.

    Raises:
        UnsafeArchive: the name is not UTF-8, or some programs would unpack it elsewhere.
    """
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise encoding_error(raw) from None
    check_stays_inside(raw)
    if "\\" in raw:
        raise UnsafeArchive(
            _(
                "the entry %(name)r has an unsafe path: it has a backslash, which some programs "
                "read as part of the name and others as a folder. Rename that file, or make the "
                "archive with '/' between the names."
            )
            % {"name": raw}
        )
    return str(PurePosixPath(raw))


def encoding_error(raw: str | bytes) -> UnsafeArchive:
    """Return the exception for a name that is not UTF-8."""
    return UnsafeArchive(
        _("the name of the entry %(name)r is not UTF-8. Rename that file.") % {"name": raw}
    )


def check_stays_inside(raw: str) -> None:
    """Check that a name stays inside the folder that the archive is unpacked in.

    Some programs read a backslash as a slash, and Windows drops dots and spaces at the end of a
    name. So both separators count, and ``.. `` counts as ``..``.

    Raises:
        UnsafeArchive: it does not.
    """
    parts = [part for part in _SEPARATORS.split(raw) if part not in ("", ".")]
    if (
        "\0" in raw
        or raw.startswith(("/", "\\"))
        or any(part.startswith("..") and not part.strip(". ") for part in parts)
        or (parts and parts[0][1:2] == ":")
    ):
        raise UnsafeArchive(
            _(
                "the entry %(name)r has an unsafe path. Use relative paths without '..', "
                "drive letters or backslashes."
            )
            % {"name": raw}
        )
