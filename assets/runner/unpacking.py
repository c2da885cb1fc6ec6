"""Archives of functions and data samples, unpacked to folders.

The server has checked them, by the same guards: they are checked again, because here they are
written. Files are read-only, for they are shared by jobs.
"""

import errno
import io
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.core.files.base import File

from ..common.files.archives.check import UNREADABLE, first_block, is_zip, read_entries
from ..common.files.archives.names import Entry, UnsafeArchive
from ..common.files.archives.tars import open_tar
from ..common.files.archives.zips import Zip

_EXECUTABLE = 0o100
_BUFFER = 1024**2
# Errors that names of entries cause: too long, or both a file and a folder.
_OF_NAMES = (errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar into a new folder.

    Raises:
        UnsafeArchive: it cannot be unpacked safely, or not at all; nothing of it may be used.
        OSError: the folder cannot be written.
    """
    with archive.open("rb") as opened:
        file = File(opened)
        sizes = {entry.name: entry.size for entry in read_entries(file)}
        folder.mkdir()
        for entry, mode, content in (_zip_contents if is_zip(file) else _tar_contents)(file):
            path = folder / entry.name
            try:
                (path if entry.is_folder else path.parent).mkdir(parents=True, exist_ok=True)
                if entry.link_to:
                    shutil.copy(folder / entry.link_to, path)
                elif not entry.is_folder:
                    _write(content, path, sizes[entry.name])
                    path.chmod(0o555 if mode & _EXECUTABLE else 0o444)
            except OSError as error:
                if error.errno not in _OF_NAMES:
                    raise
                raise UnsafeArchive(
                    f"the entry {entry.name[:99]!r} cannot be written: {error.strerror}. Rename it."
                ) from error


def _write(source: IO[bytes], path: Path, size: int) -> None:
    """Write the content of an entry. Raises: UnsafeArchive unless it has `size` bytes."""
    left = size
    with path.open("xb") as target:
        while data := _read(source, min(left + 1, _BUFFER)):
            left -= len(data)
            if left < 0:
                break
            target.write(data)
    if left:
        raise UnsafeArchive(f"the entry {path.name!r} has another size than the archive says.")


def _read(source: IO[bytes], size: int) -> bytes:
    try:
        return source.read(size)
    except (*UNREADABLE, zipfile.BadZipFile) as error:
        raise UnsafeArchive(f"it is damaged: {error}.") from error


def _tar_contents(file: File) -> Iterator[tuple[Entry, int, IO[bytes]]]:
    with open_tar(file, first_block(file)) as archive:
        for entry, info in archive.entries():
            if info.isreg():
                with archive.opened(info) as content:
                    yield entry, info.mode, content
            else:
                yield entry, info.mode, io.BytesIO()


def _zip_contents(file: File) -> Iterator[tuple[Entry, int, IO[bytes]]]:
    """Yield the entries by the names that our reader finds, with what zipfile reads."""
    headers = list(Zip(file, file.size).entries())
    with zipfile.ZipFile(file) as archive:
        infos = {info.header_offset: info for info in archive.infolist()}
        for entry, header in headers:
            if entry.packed_by:
                raise UnsafeArchive(
                    f"the entry {entry.name!r} is compressed by {entry.packed_by}, which cannot be "
                    "unpacked here. Make the archive with Deflate, the usual method."
                )
            with _opened(archive, infos[header.offset]) as content:
                yield entry, header.mode, content


@contextmanager
def _opened(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    try:
        opened = archive.open(info)
    except (*UNREADABLE, zipfile.BadZipFile, NotImplementedError) as error:
        raise UnsafeArchive(f"it is damaged: {error}.") from error
    with opened:
        yield opened
