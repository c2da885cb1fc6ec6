"""Previews of archives for pages: the first files, and the content of one of them.

A page is waiting, so that less is read than when an archive is checked, and nothing is extracted.
"""

import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from django.core.files.base import File

from .check import UNREADABLE, first_block, is_zip
from .decompression import tar_suffix
from .names import Entry, UnsafeArchive
from .tars import Tar, link_error, open_tar
from .zips import Zip

# Limits for a preview. To find the next entry of a compressed tar, the one before must be read.
MAX_ENTRIES_SEEN = 2_000
MAX_SIZE_SEEN = 64 * 1024**2
MAX_BZIP2_SIZE_SEEN = 8 * 1024**2  # bzip2 is ten times slower
MAX_TABLE_SIZE_SEEN = 4 * 1024**2


@dataclass(frozen=True, slots=True)
class ArchivePreview:
    """The first files of an archive, and the content of one of them.

    Attributes:
        files: the files in the archive's order.
        is_all: whether these are all files.
        content: the content of the requested file; None if it is missing or too large.
    """

    files: Sequence[Entry] = ()
    is_all: bool = False
    content: bytes | None = None

    def find(self, name: str) -> Entry | None:
        return next((entry for entry in self.files if entry.name == name), None)

    @property
    def warnings(self) -> list[str]:
        """Sentences about how the archive was made, each once."""
        return list(dict.fromkeys(text for entry in self.files for text in entry.warnings))


# An entry, and a function that returns its content.
_Member = tuple[Entry, Callable[[], bytes]]


def preview_archive(
    file: File, name: str = "", limit: int = 0, *, any_zip: bool = False
) -> ArchivePreview:
    """Return the first files of an archive, with the content of `name` if it has `limit` bytes.

    An archive that cannot be read gives an incomplete preview rather than an error.

    Args:
        any_zip: read zips beyond `MAX_SIZE_SEEN`, too. Little of them is read, but a remote storage
            may fetch the whole file.
    """
    is_large = (file.size or 0) > MAX_SIZE_SEEN
    if is_large and not any_zip:
        return ArchivePreview()
    try:
        if is_zip(file):
            archive = Zip(file, MAX_TABLE_SIZE_SEEN)
            return _preview(_zip_members(archive, name), name, limit, float("inf"))
        if is_large:
            return ArchivePreview()
        start = first_block(file)
        is_slow = tar_suffix(start) == ".tar.bz2"
        max_size = MAX_BZIP2_SIZE_SEEN if is_slow else MAX_SIZE_SEEN
        with open_tar(file, start) as tar:
            return _preview(_tar_members(tar), name, limit, max_size)
    except (UnsafeArchive, *UNREADABLE):
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
        # Checked before the entry is read.
        if expanded > max_size:
            return ArchivePreview(files, False, content)
        if entry.name == name and not entry.is_folder and entry.size <= limit:
            # If the content cannot be read, the files are listed without it.
            with suppress(*UNREADABLE):
                content = read()
    return ArchivePreview(files, True, content)


def _zip_members(archive: Zip, name: str) -> Iterator[_Member]:
    # The directory has all offsets, so the requested file can come first.
    for entry, header in sorted(archive.entries(), key=lambda found: found[0].name != name):
        yield entry, partial(archive.content, header)


def _tar_members(archive: Tar) -> Iterator[_Member]:
    files: dict[str, tuple[Entry, tarfile.TarInfo]] = {}
    for entry, info in archive.entries():
        if entry.link_to:
            if entry.link_to not in files:
                raise link_error(entry.name)
            target, info = files[entry.link_to]
            entry = replace(entry, size=target.size)
        files[entry.name] = entry, info
        yield entry, partial(archive.content, info)
