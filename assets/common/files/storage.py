"""Stored files: what is known of them, how they are opened and hashed, and how storage fails."""

import errno
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import Model
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ..errors import Code, Problem


class StorageError(OSError):
    """The storage cannot be read or written at the moment; the request is not at fault."""


class NoSpace(StorageError):
    """The storage is full: it can be read, but not written until somebody makes room."""


# By attribute of an exception: errno of the system, PostgreSQL's disk_full, SQLite's SQLITE_FULL.
_FULL = {"errno": (errno.ENOSPC, errno.EDQUOT), "sqlstate": ("53100",), "sqlite_errorcode": (13,)}


def is_full(error: BaseException | None) -> bool:
    """Return whether a storage, a database or a disk failed because it is full."""
    if error is None:
        return False
    has_code = any(getattr(error, name, None) in values for name, values in _FULL.items())
    return has_code or isinstance(error, NoSpace) or is_full(error.__cause__)


def storage_error(message: str, error: OSError) -> StorageError:
    """Return the exception to raise for an error of the storage: `NoSpace` if it is full."""
    return (NoSpace if is_full(error) else StorageError)(message)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in storage: its name, its sha256 as 64 hexadecimal digits, its size in bytes."""

    name: str
    checksum: str
    size: int


def stored_in(row: Model, field: str) -> StoredFile | None:
    """Return the stored file of a row's file field, or None if the field is empty or absent."""
    name = getattr(getattr(row, field, None), "name", "")
    if not name:
        return None
    return StoredFile(name, getattr(row, f"{field}_checksum"), getattr(row, f"{field}_size"))


def open_stored(name: str) -> File:
    """Return a stored file, opened for reading.

    Raises:
        FileNotFoundError: the file is lost; retrying will not help.
        StorageError: the storage does not answer.
    """
    try:
        return default_storage.open(name)
    except (FileNotFoundError, StorageError):
        raise
    except OSError as error:
        raise StorageError(f"{name} cannot be read: {error}") from error


class HashingFile(File):
    """A file that computes the sha256 of what is read from it; `seek(0)` starts over."""

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


def check_upload(upload: File | None, *, asset: str, field: str) -> Iterator[Problem]:
    """Yield a problem unless the file is there, not empty, and at most MAX_UPLOAD_SIZE bytes."""
    if upload is None:
        yield Problem(Code.INVALID, _("missing file. Choose a file to upload."), field, asset)
    elif not upload.size:
        yield Problem(Code.INVALID, _("the file is empty. Choose another file."), field, asset)
    elif upload.size > settings.MAX_UPLOAD_SIZE:
        message = _("File too large: %(size)s. The limit is %(limit)s.")
        limit = filesizeformat(settings.MAX_UPLOAD_SIZE)
        values = {"size": filesizeformat(upload.size), "limit": limit}
        yield Problem(Code.INVALID, message % values, field, asset)
