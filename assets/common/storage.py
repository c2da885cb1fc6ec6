"""Files of assets: written while they are hashed, kept only when their rows are."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import Model
from django.template.defaultfilters import filesizeformat

from .errors import Code, Problem


class StorageError(OSError):
    """The storage cannot be written or read now; it is no fault of the request, nor of ours."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in storage: its name there, its sha256 in hexadecimal, its size in bytes."""

    name: str
    checksum: str
    size: int


def stored_in(row: Model, field: str) -> StoredFile | None:
    """Return the file that the row has in its file field; None if it has no such file."""
    name = getattr(getattr(row, field, None), "name", "")
    if not name:
        return None
    return StoredFile(name, getattr(row, f"{field}_checksum"), getattr(row, f"{field}_size"))


def open_stored(name: str) -> File:
    """Open a stored file.

    Raises:
        FileNotFoundError: it has been lost, which no waiting will mend.
        StorageError: the storage does not answer.
    """
    try:
        return default_storage.open(name)
    except (FileNotFoundError, StorageError):
        raise
    except OSError as error:
        raise StorageError(f"{name} cannot be read: {error}") from error


class HashingFile(File):
    """A file that hashes what is read of it; going back to the start begins anew."""

    def __init__(self, file: File) -> None:
        super().__init__(file)
        self.content = file
        self._begin()

    def _begin(self) -> None:
        self._hash = hashlib.sha256()
        self.bytes_read = 0

    def read(self, size: int = -1) -> bytes:
        data: bytes = self.content.read(size)
        self._hash.update(data)
        self.bytes_read += len(data)
        return data

    def seek(self, offset: int, whence: int = 0) -> int:
        if (offset, whence) == (0, 0):
            self._begin()
        position: int = self.content.seek(offset, whence)
        return position

    @property
    def checksum(self) -> str:
        return self._hash.hexdigest()


class FileBatch:
    """The files of one registration."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def save(self, name: str, upload: File) -> StoredFile:
        """Write `upload` to storage under `name`, or a free name near it; hash it in that pass.

        Raises:
            StorageError: it cannot be written.
        """
        content = HashingFile(upload)
        # Remembered before it is written: a write that fails half-way leaves half a file.
        self.names.append(name)
        try:
            self.names[-1] = default_storage.save(name, content)
        except StorageError:
            raise
        except OSError as error:
            raise StorageError(f"{name} cannot be written: {error}") from error
        return StoredFile(self.names[-1], content.checksum, content.bytes_read)

    def discard(self) -> None:
        for name in self.names:
            # A file that cannot be removed is an orphan, which `check_files` reports.
            with suppress(OSError):
                default_storage.delete(name)


@contextmanager
def file_batch() -> Iterator[FileBatch]:
    """Keep the files saved in this block if it succeeds, remove them if it fails.

    Open the transaction inside it, so that a commit that fails takes the files with it::

        with file_batch() as files, transaction.atomic():
            stored = files.save(name, upload)
            ...
    """
    batch = FileBatch()
    try:
        yield batch
    except BaseException:
        batch.discard()
        raise


def check_upload(upload: File | None, *, asset: str, field: str) -> Iterator[Problem]:
    """A file is there, is not empty, and is not larger than one upload may be."""
    if upload is None:
        yield Problem(Code.INVALID, "missing file. Choose a file to upload.", field, asset)
    elif not upload.size:
        yield Problem(Code.INVALID, "the file is empty. Choose another file.", field, asset)
    elif upload.size > settings.MAX_UPLOAD_SIZE:
        yield Problem(
            Code.INVALID,
            f"File too large: {filesizeformat(upload.size)}, at most "
            f"{filesizeformat(settings.MAX_UPLOAD_SIZE)}.",
            field,
            asset,
        )
