"""Zip and tar archives: what they hold, and whether it could be unpacked safely.

Archives are read entry by entry and never extracted. Entry names are given without a leading
``./``, which some tools write.
"""

import struct
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from lzma import LZMAError
from tarfile import BLOCKSIZE

from django.core.files.base import File
from django.template.defaultfilters import filesizeformat

from ...errors import Code, Problem
from .decompression import other_kind, tar_suffix
from .names import Entry, UnsafeArchive
from .tars import Tar, link, open_tar
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
# What is looked at for a page: less than what may be registered, as somebody waits for it. Finding
# the next entry of a tar that is compressed takes reading all of the one before.
MAX_ENTRIES_SEEN = 2_000
MAX_SIZE_SEEN = 64 * 1024**2
MAX_BZIP2_SIZE_SEEN = 8 * 1024**2  # bzip2 unpacks ten times as slowly as others
MAX_TABLE_SIZE_SEEN = 4 * 1024**2

_UNREADABLE = (
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


@dataclass(frozen=True, slots=True)
class ArchivePreview:
    """What a page shows of an archive: its first files, and what is in one of them.

    Attributes:
        files: the files, in the archive's order.
        is_all: whether there are no others.
        content: what the file that was asked for holds; None when it was not found or is larger
            than was asked for.
    """

    files: Sequence[Entry] = ()
    is_all: bool = False
    content: bytes | None = None

    def find(self, name: str) -> Entry | None:
        return next((entry for entry in self.files if entry.name == name), None)

    @property
    def oddities(self) -> list[str]:
        """What its user should know of how it was made, each once."""
        return list(dict.fromkeys(text for entry in self.files for text in entry.oddities))


def _zip_entries(file: File) -> Iterator[Entry]:
    archive = Zip(file, MAX_TABLE_SIZE)
    for entry, header in archive.entries():
        archive.check(entry, header)
        yield entry


def _tar_entries(file: File) -> Iterator[Entry]:
    with open_tar(file, _start(file)) as archive:
        for entry, _ in archive.entries():
            yield entry
        archive.check_end()


def read_entries(file: File) -> list[Entry]:
    """List the archive's entries, the root folder itself left out.

    Raises:
        UnsafeArchive: not a zip or tar archive, damaged, encrypted, too large when unpacked, or
            with an entry that is a link, a device, a duplicate or outside the archive's folder.
    """
    start = _start(file)
    try:
        entries = _zip_entries(file) if _is_zip(file) else _tar_entries(file)
        return _bounded(entries, file.size or 0)
    except _UNREADABLE as error:
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


def _start(file: File) -> bytes:
    file.seek(0)
    start: bytes = file.read(BLOCKSIZE)
    file.seek(0)
    return start


def _is_zip(file: File) -> bool:
    # Not by what stands at the end: a tar may end with a zip as its last entry.
    return _start(file).startswith((b"PK\3\4", b"PK\5\6"))


def archive_suffix(file: File) -> str:
    """Return the file name suffix that fits a readable archive: ``.zip``, ``.tar.gz``, …"""
    return ".zip" if _is_zip(file) else tar_suffix(_start(file))


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


def has_passed(file: File, rule: str) -> bool:
    """Has the file's content been found good by this rule? Reading an archive takes long."""
    return vars(file).get("passed") == rule


def note_passed(file: File, rule: str) -> None:
    """Have `has_passed` know. A rule's name has a number, which goes up when it gets stricter."""
    vars(file)["passed"] = rule


# --- For pages: a preview_archive -------------------------------------------------------------------------

# An entry, and what returns its content.
_Member = tuple[Entry, Callable[[], bytes]]


def preview_archive(
    file: File, name: str = "", limit: int = 0, *, any_zip: bool = False
) -> ArchivePreview:
    """List the first files of an archive, with what `name` holds if that is `limit` bytes at most.

    Nothing is extracted, and little is read: see `MAX_SIZE_SEEN`. Of a zip of any size, little is
    read, too, but storage may have to fetch the whole file: `any_zip` is for one that is here. What
    cannot be read is no error here, but a preview_archive that is not all.
    """
    is_large = (file.size or 0) > MAX_SIZE_SEEN
    if is_large and not any_zip:
        return ArchivePreview()
    try:
        if _is_zip(file):
            archive = Zip(file, MAX_TABLE_SIZE_SEEN)
            return _preview(_zip_members(archive, name), name, limit, float("inf"))
        if is_large:
            return ArchivePreview()
        start = _start(file)
        is_slow = tar_suffix(start) == ".tar.bz2"
        max_size = MAX_BZIP2_SIZE_SEEN if is_slow else MAX_SIZE_SEEN
        with open_tar(file, start) as tar:
            return _preview(_tar_members(tar), name, limit, max_size)
    except (UnsafeArchive, *_UNREADABLE):
        return ArchivePreview()


def _preview(members: Iterator[_Member], name: str, limit: int, max_size: float) -> ArchivePreview:
    files: list[Entry] = []
    content = None
    expanded = 0
    for count, (entry, read) in enumerate(members, 1):
        if count > MAX_ENTRIES_SEEN:
            return ArchivePreview(files, False, content)
        if not entry.is_folder:
            files.append(entry)
        expanded += entry.size
        # Found before the entry is read, or passed over.
        if expanded > max_size:
            return ArchivePreview(files, False, content)
        if entry.name == name and not entry.is_folder and entry.size <= limit:
            # Of one file that cannot be read, the others are listed none the less.
            with suppress(*_UNREADABLE):
                content = read()
    return ArchivePreview(files, True, content)


def _zip_members(archive: Zip, name: str) -> Iterator[_Member]:
    # A zip says at once where each file is: the wanted one need not be among the first.
    for entry, header in sorted(archive.entries(), key=lambda found: found[0].name != name):
        yield entry, partial(archive.content, header)


def _tar_members(archive: Tar) -> Iterator[_Member]:
    files: dict[str, tuple[Entry, tarfile.TarInfo]] = {}
    for entry, info in archive.entries():
        if entry.link_to:
            if entry.link_to not in files:
                raise link(entry.name)
            target, info = files[entry.link_to]
            entry = replace(entry, size=target.size)
        files[entry.name] = entry, info
        yield entry, partial(archive.content, info)
