"""Zip and tar archives: what they hold, and whether it could be unpacked safely.

Archives are read entry by entry and never extracted. Entry names are given without a leading
``./``, which some tools write.
"""

import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from lzma import LZMAError
from pathlib import PurePosixPath
from tarfile import BLOCKSIZE
from typing import IO, Any

from django.core.files.base import File
from django.template.defaultfilters import filesizeformat

from .errors import Code, Problem

MAX_ENTRIES = 100_000
MAX_EXPANDED_SIZE = 16 * 1024**3
# Reading a compressed tar takes about 3 s of CPU for each gigabyte that comes out of it, and zeros
# take no room in it. So who wants more read than this has sent a fair part of it.
MAX_SIZE_FOR_NOTHING = 1024**3
MAX_RATIO = 200
# What an archive may make us hold in memory at once: a zip's table of contents, a tar's header.
MAX_TABLE_SIZE = 320 * MAX_ENTRIES
MAX_HEADER_SIZE = 64 * 1024
# Tars end with zeros, up to a multiple of what a tape would hold in a record.
MAX_PADDING = 16 * 1024**2
# What is looked at for a page: less than what may be registered, as somebody waits for it. Finding
# the next entry of a tar that is compressed takes reading all of the one before.
MAX_ENTRIES_SEEN = 2_000
MAX_SIZE_SEEN = 64 * 1024**2
MAX_BZIP2_SIZE_SEEN = 8 * 1024**2  # bzip2 unpacks ten times as slowly as others
MAX_TABLE_SIZE_SEEN = 4 * 1024**2

_UNREADABLE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    LZMAError,
    EOFError,
    OSError,
    ValueError,
    NotImplementedError,
    UnicodeError,
    OverflowError,  # sizes and offsets that no file has
    RecursionError,  # hundreds of headers for one entry
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive: its name, its size in bytes, whether it is a folder."""

    name: str
    size: int
    is_folder: bool = False


@dataclass(frozen=True, slots=True)
class Glimpse:
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


class UnsafeArchive(Exception):
    """The archive cannot be read, or holds what may not be unpacked; the text says which."""


def _name(raw: str) -> str:
    """Return the entry's plain path, ``.`` for the folder itself; raise when it could leave it."""
    try:
        raw.encode()
    except UnicodeEncodeError:
        raise UnsafeArchive(
            f"the name of the entry {raw!r} is not UTF-8. Rename that file."
        ) from None
    path = PurePosixPath(raw)
    name = str(path)
    if "\0" in raw or "\\" in raw or path.is_absolute() or ".." in path.parts or name[1:2] == ":":
        raise UnsafeArchive(
            f"the entry {raw!r} has an unsafe path. Use relative paths without '..', "
            "drive letters or backslashes."
        )
    return name


def _link(name: str) -> UnsafeArchive:
    return UnsafeArchive(
        f"the entry {name!r} is a link or a device. Put files and folders only in the archive."
    )


class _Limited:
    """A file that hands out at most `limit` bytes at once.

    `tarfile` and `zipfile` read headers and tables of any size that the archive claims.
    """

    # On Pythons without the fix of CVE-2024-6232, tarfile takes hours to read such a header.
    _ENDLESS_NUMBER = re.compile(rb"\d{100}")

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self.file, self.limit = file, limit
        self.seek, self.tell, self.close = file.seek, file.tell, file.close

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(self.limit + 1 if size < 0 else min(size, self.limit + 1))
        if len(data) > self.limit or (len(data) > BLOCKSIZE and self._ENDLESS_NUMBER.search(data)):
            raise UnsafeArchive("its list of entries is absurdly long. Make the archive again.")
        return data


class _StrictTar(tarfile.TarFile):
    """A tar whose headers have a sensible size, and which ends where it says."""

    def __init__(self, name: str | None, mode: Any, fileobj: IO[bytes], **options: Any) -> None:
        self.headers = _Limited(fileobj, MAX_HEADER_SIZE)
        super().__init__(name, mode, self.headers, **options)  # type: ignore[arg-type]  # only read

    def check_end(self) -> None:
        """Raise unless nothing but zeros follows the last entry; `tarfile` reads no further.

        Reading on also has a compressed tar verify its checksum.
        """
        self.fileobj.seek(self.offset)
        padding = 0
        while block := self.fileobj.read(MAX_HEADER_SIZE):
            padding += len(block)
            if block.strip(b"\0") or padding > MAX_PADDING:
                raise tarfile.ReadError("more follows after the end")
        if padding < BLOCKSIZE:
            raise tarfile.ReadError("the end is missing")


def _zip_entries(file: File) -> Iterator[Entry]:
    with zipfile.ZipFile(_Limited(file, MAX_TABLE_SIZE)) as archive:
        for info in archive.infolist():
            # Zipfile cuts its `filename` off at a NUL.
            name = info.orig_filename
            if info.flag_bits & 0x1:
                raise UnsafeArchive(f"the entry {name!r} is encrypted. Archive without a password.")
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _link(name)
            yield Entry(_name(name), info.file_size, name.endswith("/"))


def _tar_entries(file: File) -> Iterator[Entry]:
    with _StrictTar.open(fileobj=file, mode="r:*") as archive:
        for info in archive:
            if not (info.isreg() or info.isdir()):
                raise _link(info.name)
            yield Entry(_name(info.name), info.size, info.isdir())
        archive.check_end()


def read_entries(file: File) -> list[Entry]:
    """List the archive's entries, the root folder itself left out.

    Raises:
        UnsafeArchive: not a zip or tar archive, damaged, encrypted, too large when unpacked, or
            with an entry that is a link, a device, a duplicate or outside the archive's folder.
    """
    file.seek(0)
    try:
        entries = _zip_entries(file) if _is_zip(file) else _tar_entries(file)
        return _bounded(entries, file.size or 0)
    except _UNREADABLE as error:
        raise UnsafeArchive(
            "not a readable zip or tar archive (it may be damaged or of another type). "
            "Make it again as .zip or .tar.gz."
        ) from error
    finally:
        file.seek(0)


def _bounded(entries: Iterator[Entry], size: int) -> list[Entry]:
    """Collect the entries of an archive of `size` bytes, up to the limits."""
    limit = min(MAX_EXPANDED_SIZE, max(MAX_SIZE_FOR_NOTHING, MAX_RATIO * size))
    found: dict[str, Entry] = {}
    expanded = 0
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
        found[entry.name] = entry
        expanded += entry.size
        if expanded > limit:
            raise UnsafeArchive(
                f"more than {filesizeformat(limit)} when unpacked from {filesizeformat(size)}. "
                "Split the archive."
            )
    return list(found.values())


def _start(file: File) -> bytes:
    file.seek(0)
    start: bytes = file.read(BLOCKSIZE)
    file.seek(0)
    return start


def _is_zip(file: File) -> bool:
    # Not `zipfile.is_zipfile`, which looks at the end: a tar may end with a zip as its last entry.
    return _start(file).startswith((b"PK\3\4", b"PK\5\6"))


def archive_suffix(file: File) -> str:
    """Return the file name suffix that fits a readable archive: ``.zip``, ``.tar.gz``, …"""
    if _is_zip(file):
        return ".zip"
    start = _start(file)
    if start[257:262] == b"ustar":
        return ".tar"  # its first entry may be called anything, also what begins a compressed file
    suffixes = {b"\x1f\x8b": ".tar.gz", b"BZh": ".tar.bz2", b"\xfd7zXZ\0": ".tar.xz"}
    return next((s for magic, s in suffixes.items() if start.startswith(magic)), ".tar")


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


# --- For pages: a glimpse -------------------------------------------------------------------------

# An entry, and what returns its content.
_Member = tuple[Entry, Callable[[], bytes]]


def glimpse(file: File, name: str = "", limit: int = 0) -> Glimpse:
    """List the first files of an archive, with what `name` holds if that is `limit` bytes at most.

    Nothing is extracted, and little is read: see `MAX_SIZE_SEEN`. What cannot be read is no error
    here, but a glimpse that is not all.
    """
    if (file.size or 0) > MAX_SIZE_SEEN:
        return Glimpse()
    file.seek(0)
    try:
        if _is_zip(file):
            with zipfile.ZipFile(_Limited(file, MAX_TABLE_SIZE_SEEN)) as table:
                # A zip says at once where each file is: the wanted one need not be among the first.
                known = sorted(table.infolist(), key=lambda info: info.orig_filename != name)
            with zipfile.ZipFile(file) as archive:
                return _glimpse(_zip_members(archive, known), name, limit, float("inf"))
        is_slow = _start(file).startswith(b"BZh")
        max_size = MAX_BZIP2_SIZE_SEEN if is_slow else MAX_SIZE_SEEN
        with _StrictTar.open(fileobj=file, mode="r:*") as tar:
            return _glimpse(_tar_members(tar), name, limit, max_size)
    except (UnsafeArchive, *_UNREADABLE):
        return Glimpse()


def _glimpse(members: Iterator[_Member], name: str, limit: int, max_size: float) -> Glimpse:
    files: list[Entry] = []
    content = None
    expanded = 0
    for count, (entry, read) in enumerate(members, 1):
        if count > MAX_ENTRIES_SEEN:
            return Glimpse(files, False, content)
        if not entry.is_folder:
            files.append(entry)
        expanded += entry.size
        # Told before the entry is read, or passed over.
        if expanded > max_size:
            return Glimpse(files, False, content)
        if entry.name == name and not entry.is_folder and entry.size <= limit:
            # Of one file that cannot be read, the others are listed none the less.
            with suppress(*_UNREADABLE):
                content = read()
    return Glimpse(files, True, content)


def _zip_members(archive: zipfile.ZipFile, known: Sequence[zipfile.ZipInfo]) -> Iterator[_Member]:
    for info in known:
        entry = Entry(_name(info.orig_filename), info.file_size, info.orig_filename.endswith("/"))
        yield entry, partial(_read_zipped, archive, info)


def _read_zipped(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    # Zipfile unpacks other methods as a whole, however much comes out of it.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError
    with archive.open(info) as content:
        return content.read(info.file_size)


def _tar_members(archive: _StrictTar) -> Iterator[_Member]:
    for info in archive:
        yield Entry(_name(info.name), info.size, info.isdir()), partial(_read_tarred, archive, info)


def _read_tarred(archive: _StrictTar, info: tarfile.TarInfo) -> bytes:
    # The limits of headers do not hold for content.
    archive.fileobj = archive.headers.file  # only read
    try:
        content = archive.extractfile(info)
        return content.read(info.size) if content else b""
    finally:
        archive.fileobj = archive.headers  # type: ignore[assignment]
