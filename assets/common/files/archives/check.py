"""Zip and tar archives: what they hold, and whether it could be unpacked safely.

Archives are read entry by entry and never extracted. Entry names are given without a leading
``./``, which some tools write.
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

from ...errors import Code, Problem
from .decompression import other_kind, tar_suffix
from .names import Entry, UnsafeArchive
from .tars import link, open_tar
from .zips import Zip

MAX_ENTRIES = 100_000
MAX_EXPANDED_SIZE = 16 * 1024**3
# Reading a compressed tar takes about 3 s of CPU for each gigabyte that comes out of it, and zeros
# take no room in it. So who wants more read than this has sent a fair part of it.
MAX_SIZE_FOR_NOTHING = 1024**3
MAX_RATIO = 200
# What a zip's table of contents may hold, and the memory that the names of all entries may take.
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
    OverflowError,  # sizes and offsets that no file has
    RecursionError,  # hundreds of headers for one entry
)


def _zip_entries(file: File) -> Iterator[Entry]:
    archive = Zip(file, MAX_TABLE_SIZE)
    for entry, header in archive.entries():
        archive.check(entry, header)
        yield entry


def _tar_entries(file: File) -> Iterator[Entry]:
    with open_tar(file, first_block(file)) as archive:
        for entry, _ in archive.entries():
            yield entry
        archive.check_end()


def read_entries(file: File) -> list[Entry]:
    """List the archive's entries, the root folder itself left out.

    Raises:
        UnsafeArchive: not a zip or tar archive, damaged, encrypted, too large when unpacked, or
            with an entry that is a link, a device, a duplicate or outside the archive's folder.
    """
    start = first_block(file)
    try:
        entries = _zip_entries(file) if is_zip(file) else _tar_entries(file)
        return _bounded(entries, file.size or 0)
    except UNREADABLE as error:
        if kind := other_kind(start):
            raise UnsafeArchive(f"it {kind}. Make it again as .zip or .tar.gz.") from error
        raise UnsafeArchive(
            "not a readable zip or tar archive (it may be damaged or of another type). "
            "Put the files into a .zip or .tar.gz, also if there is only one."
        ) from error
    finally:
        file.seek(0)


def _bounded(entries: Iterator[Entry], size: int) -> list[Entry]:
    """Collect the entries of an archive of `size` bytes, up to the limits."""
    limit = min(MAX_EXPANDED_SIZE, max(MAX_SIZE_FOR_NOTHING, MAX_RATIO * size))
    found: dict[str, Entry] = {}
    expanded = names = 0
    for count, entry in enumerate(entries, 1):
        # All of them, also folders that are named again and again.
        if count > MAX_ENTRIES:
            raise UnsafeArchive(f"more than {MAX_ENTRIES:,} entries. Split the archive.")
        if entry.name == "." and entry.is_folder:
            continue
        if entry.name == "." or entry.size < 0:
            raise UnsafeArchive("an entry has no name or no size. Make the archive again.")
        known = found.get(entry.name)
        if known and not (known.is_folder and entry.is_folder):
            raise UnsafeArchive(
                f"the entry {entry.name!r} occurs twice. Keep one of the two in the archive."
            )
        found[entry.name] = entry = _resolved(entry, found)
        expanded += entry.size
        if expanded > limit:
            raise UnsafeArchive(
                f"more than {filesizeformat(limit)} when unpacked from {filesizeformat(size)}. "
                "Split the archive."
            )
        names += sys.getsizeof(entry.name)
        if names > MAX_NAMES_SIZE:
            raise UnsafeArchive("its names are too long together. Split the archive.")
    return list(found.values())


def _resolved(entry: Entry, before: dict[str, Entry]) -> Entry:
    """Return an entry with the size of the file that it is a hard link to, if it is one."""
    if not entry.link_to:
        return entry
    target = before.get(entry.link_to)
    if target is None or target.is_folder:
        raise link(entry.name)
    return replace(entry, size=target.size)


def first_block(file: File) -> bytes:
    file.seek(0)
    start: bytes = file.read(BLOCKSIZE)
    file.seek(0)
    return start


def is_zip(file: File) -> bool:
    # Not by what stands at the end: a tar may end with a zip as its last entry.
    return first_block(file).startswith((b"PK\3\4", b"PK\5\6"))


def archive_suffix(file: File) -> str:
    """Return the file name suffix that fits a readable archive: ``.zip``, ``.tar.gz``, …"""
    return ".zip" if is_zip(file) else tar_suffix(first_block(file))


def inspect(file: File, *, asset: str, field: str) -> tuple[list[Entry], list[Problem]]:
    """Read an archive that must be readable, safe and hold at least one file."""
    entries: list[Entry] = []
    try:
        entries = read_entries(file)
        if all(entry.is_folder for entry in entries):
            raise UnsafeArchive("the archive is empty. Put at least one file in it.")
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
