"""Zip and tar archives: what they hold, and whether it could be unpacked safely.

Archives are read entry by entry and never extracted. Entry names are given without a leading
``./``, which some tools write.
"""

import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from lzma import LZMAError
from pathlib import PurePosixPath

from django.core.files.base import File
from django.template.defaultfilters import filesizeformat

from .errors import Code, Problem

MAX_ENTRIES = 100_000
MAX_EXPANDED_SIZE = 16 * 1024**3

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
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One member of an archive: its name, its size in bytes, whether it is a folder."""

    name: str
    size: int
    is_folder: bool = False


class UnsafeArchive(Exception):
    """The archive cannot be read, or holds what may not be unpacked; the text says which."""


def _name(raw: str) -> str:
    """Return the entry's name without leading ``./``; raise when it could leave the folder."""
    name = raw
    while name.startswith("./"):
        name = name[2:].lstrip("/")
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UnsafeArchive(
            f"the name of the entry {raw!r} is not UTF-8. Rename that file."
        ) from None
    parts = PurePosixPath(name).parts
    if "\0" in name or "\\" in name or name.startswith("/") or ".." in parts or ":" in name[1:2]:
        raise UnsafeArchive(
            f"the entry {raw!r} has an unsafe path. Use relative paths without '..', "
            "drive letters or backslashes."
        )
    return name.rstrip("/")


def _link(name: str) -> UnsafeArchive:
    return UnsafeArchive(
        f"the entry {name!r} is a link or a device. Put files and folders only in the archive."
    )


def _zip_entries(file: File) -> Iterator[Entry]:
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            if info.flag_bits & 0x1:
                raise UnsafeArchive(
                    f"the entry {info.filename!r} is encrypted. Archive without a password."
                )
            mode = info.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _link(info.filename)
            yield Entry(_name(info.filename), info.file_size, info.is_dir())


def _tar_entries(file: File) -> Iterator[Entry]:
    with tarfile.open(fileobj=file, mode="r:*") as archive:
        for info in archive:
            if not (info.isreg() or info.isdir()):
                raise _link(info.name)
            yield Entry(_name(info.name), info.size, info.isdir())


def read_entries(file: File) -> list[Entry]:
    """List the archive's entries, the root folder itself left out.

    Raises:
        UnsafeArchive: not a zip or tar archive, damaged, encrypted, too large when unpacked, or
            with an entry that is a link, a device, a duplicate or outside the archive's folder.
    """
    file.seek(0)
    try:
        is_zip = zipfile.is_zipfile(file)
        file.seek(0)
        return _bounded(_zip_entries(file) if is_zip else _tar_entries(file))
    except _UNREADABLE as error:
        raise UnsafeArchive(
            "not a readable zip or tar archive (it may be damaged or of another type). "
            "Make it again as .zip or .tar.gz."
        ) from error
    finally:
        file.seek(0)


def _bounded(entries: Iterator[Entry]) -> list[Entry]:
    found: dict[str, Entry] = {}
    expanded = 0
    for entry in entries:
        if entry.name in ("", "."):
            continue
        known = found.get(entry.name)
        if known and not (known.is_folder and entry.is_folder):
            raise UnsafeArchive(
                f"the entry {entry.name!r} occurs twice. Keep one of the two in the archive."
            )
        found[entry.name] = entry
        expanded += entry.size
        if len(found) > MAX_ENTRIES:
            raise UnsafeArchive(f"more than {MAX_ENTRIES:,} entries. Split the archive.")
        if expanded > MAX_EXPANDED_SIZE:
            raise UnsafeArchive(
                f"more than {filesizeformat(MAX_EXPANDED_SIZE)} when unpacked. Split the archive."
            )
    return list(found.values())


def archive_suffix(file: File) -> str:
    """Return the file name suffix that fits the archive's content: ``.zip``, ``.tar.gz``, …"""
    file.seek(0)
    start = file.read(6)
    file.seek(0)
    suffixes = {b"PK": ".zip", b"\x1f\x8b": ".tar.gz", b"BZ": ".tar.bz2", b"\xfd7zXZ\0": ".tar.xz"}
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
