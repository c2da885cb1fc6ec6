"""Checks that zip and tar archives are readable and can be unpacked safely.

Archives are read entry by entry and never extracted. Names of entries have no leading ``./``, which
some tools write.
"""

import struct
import sys
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from lzma import LZMAError
from tarfile import BLOCKSIZE

from django.core.files.base import File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ...errors import Code, Problem
from .decompression import other_kind, tar_suffix
from .names import Entry, UnsafeArchive
from .tars import link_error, open_tar
from .zips import Zip

MAX_ENTRIES = 100_000
MAX_EXPANDED_SIZE = 16 * 1024**3
# Reading a compressed tar takes about 3 s of CPU for each unpacked gigabyte. Above this size, an
# archive must have a share of its unpacked size, so that small uploads cannot cause much work.
MAX_SIZE_OF_SMALL_ARCHIVES = 1024**3
MAX_RATIO = 200
# Bytes of a zip's directory, and of memory for the names of all entries.
MAX_TABLE_SIZE = 320 * MAX_ENTRIES
MAX_NAMES_SIZE = 48 * 1024**2

UNREADABLE = (
    tarfile.TarError,
    struct.error,
    zlib.error,
    LZMAError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,  # impossible sizes and offsets
    RecursionError,  # hundreds of headers for one entry
)


def _zip_entries(file: File) -> Iterator[Entry]:
    archive = Zip(file, MAX_TABLE_SIZE)
    for entry, header in archive.entries():
        archive.check(entry, header)
        yield entry


def _tar_entries(file: File) -> Iterator[Entry]:
    with open_tar(file, first_block(file)) as archive:
        for entry, _header in archive.entries():
            yield entry
        archive.check_end()


def read_entries(file: File) -> list[Entry]:
    """Return the archive's entries without the root folder.

    Raises:
        UnsafeArchive: it is no zip or tar, damaged, encrypted or too large when unpacked, or an
            entry is a link, a device, a duplicate, or outside the archive's folder.
    """
    start = first_block(file)
    try:
        entries = _zip_entries(file) if is_zip(file) else _tar_entries(file)
        return _bounded(entries, file.size or 0)
    except UNREADABLE as error:
        if kind := other_kind(start):
            raise UnsafeArchive(
                _("it %(is_of_another_kind)s. Make it again as .zip or .tar.gz.")
                % {"is_of_another_kind": kind}
            ) from error
        raise UnsafeArchive(
            _(
                "not a readable zip or tar archive (it may be damaged or of another type). "
                "Put the files into a .zip or .tar.gz, even if there is only one."
            )
        ) from error
    finally:
        file.seek(0)


def _bounded(entries: Iterator[Entry], size: int) -> list[Entry]:
    """Return the entries of an archive of `size` bytes. Raises: UnsafeArchive beyond a limit."""
    limit = min(MAX_EXPANDED_SIZE, max(MAX_SIZE_OF_SMALL_ARCHIVES, MAX_RATIO * size))
    found: dict[str, Entry] = {}
    expanded = names = 0
    for count, entry in enumerate(entries, 1):
        # Folders that occur several times count each time.
        if count > MAX_ENTRIES:
            raise UnsafeArchive(
                _("more than %(limit)s entries. Split the archive.") % {"limit": f"{MAX_ENTRIES:,}"}
            )
        if entry.name == "." and entry.is_folder:
            continue
        if entry.name == "." or entry.size < 0:
            raise UnsafeArchive(_("an entry has no name or no size. Make the archive again."))
        known = found.get(entry.name)
        if known and not (known.is_folder and entry.is_folder):
            raise UnsafeArchive(
                _("the entry %(name)r occurs twice. Remove one of the two from the archive.")
                % {"name": entry.name}
            )
        found[entry.name] = entry = _resolved(entry, found)
        expanded += entry.size
        if expanded > limit:
            raise UnsafeArchive(
                _("more than %(limit)s when unpacked from %(size)s. Split the archive.")
                % {"limit": filesizeformat(limit), "size": filesizeformat(size)}
            )
        names += sys.getsizeof(entry.name)
        if names > MAX_NAMES_SIZE:
            raise UnsafeArchive(_("its names are too long in total. Split the archive."))
    return list(found.values())


def _resolved(entry: Entry, before: dict[str, Entry]) -> Entry:
    """Return the entry; a hard link gets the size of the file that it links to."""
    if not entry.link_to:
        return entry
    target = before.get(entry.link_to)
    if target is None or target.is_folder:
        raise link_error(entry.name)
    return replace(entry, size=target.size)


def first_block(file: File) -> bytes:
    file.seek(0)
    start: bytes = file.read(BLOCKSIZE)
    file.seek(0)
    return start


def is_zip(file: File) -> bool:
    # By its start: the last entry of a tar can be a zip.
    return first_block(file).startswith((b"PK\3\4", b"PK\5\6"))


def archive_suffix(file: File) -> str:
    """Return the suffix of a readable archive's file name: ``.zip``, ``.tar.gz``, …"""
    return ".zip" if is_zip(file) else tar_suffix(first_block(file))


def inspect(file: File, *, asset: str, field: str) -> tuple[list[Entry], list[Problem]]:
    """Return an archive's entries, and a problem unless it is readable, safe and not empty."""
    entries: list[Entry] = []
    try:
        entries = read_entries(file)
        if all(entry.is_folder for entry in entries):
            raise UnsafeArchive(_("the archive is empty. Put at least one file in it."))
    except UnsafeArchive as error:
        return entries, [Problem(Code.INVALID, str(error), field, asset)]
    return entries, []


@dataclass(frozen=True, slots=True)
class PassedCheck:
    """The rule that a file's content last passed, so that no later step reads the archive again."""

    rule: str


def passed_check(file: File) -> str:
    """Return the name of the rule that the file's content passed, or an empty string."""
    check: PassedCheck | None = getattr(file, "passed_check", None)
    return check.rule if check else ""


def mark_passed(file: File, rule: str) -> None:
    """Record that the file's content passed `rule`.

    The name of a rule ends in a number, which is raised when the rule becomes stricter.
    """
    file.passed_check = PassedCheck(rule)  # type: ignore[attr-defined]
