"""Files of assets: written while they are hashed, kept only when their rows are.

Storage and database cannot commit together, and the process may be killed at any moment. So the
database is told first, by a row of `LooseFiles` that is committed before any file is written: these
files may be there, and no row names them yet. The transaction that inserts the rows deletes it.
Whenever the process ends, then:

    before that commit   the row of `LooseFiles` is there and says what to remove
    after it             it is gone, and the files are named by rows

Removing goes the other way round: the transaction that deletes the rows says of their files that
they are given up, and only then are they removed.

`integrity.tidy_up` removes what is given up, and gives up for others: for processes that have ended
(`common.writers`), and for whatever takes longer than an hour, as of hosts that nobody can ask. To
give up is an UPDATE, to keep is a DELETE of what is not given up, both of one row: the database
lets one of them win. A process that is slow, not dead, finds that it lost and registers nothing.
Whoever keeps holds the row locked until it has committed, so that a commit which is under way when
its process dies is waited for.

None of this depends on the storage: it is the same for a folder and for S3, for one host and for
many.
"""

import errno
import hashlib
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import Model
from django.template.defaultfilters import filesizeformat

from ..connections import client_has_gone
from ..db.models import LooseFiles
from ..errors import Code, Problem, refuse
from .process_locks import this_process

logger = logging.getLogger(__name__)


class StorageError(OSError):
    """The storage cannot be written or read now; it is no fault of the request, nor of ours."""


class NoSpace(StorageError):
    """The storage is full: it can be read, and waiting alone will not help."""


# What says so: the system's numbers, PostgreSQL's state (disk full), SQLite's code (SQLITE_FULL).
_FULL = {
    "errno": (errno.ENOSPC, errno.EDQUOT),
    "sqlstate": ("53100",),
    "sqlite_errorcode": (13,),
}


def is_full(error: BaseException | None) -> bool:
    """Return whether it is for want of space that a storage, a database or a disk failed."""
    if error is None:
        return False
    told = any(getattr(error, name, None) in values for name, values in _FULL.items())
    return told or isinstance(error, NoSpace) or is_full(error.__cause__)


def storage_error(message: str, error: OSError) -> StorageError:
    """Return what to raise for an error of the storage."""
    return (NoSpace if is_full(error) else StorageError)(message)


class OutcomeUnknown(StorageError):
    """The database does not say whether it has committed; sending it again may do it twice."""


def _check_client_waits() -> None:
    if client_has_gone():
        # It is the proxy, if there is one: a client that it answers for us would send this again.
        logger.warning("Nothing was registered: the connection was closed before the answer")
        raise refuse(
            Code.BAD_REQUEST,
            "The connection was closed before the answer, so nothing was registered. Send it "
            "again, and let your client, and the proxy before this server, wait longer.",
        )


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


def _announce(names: Collection[str], *, given_up: bool = False) -> UUID:
    row = LooseFiles(names=sorted(names), writer=this_process(), given_up=given_up)
    with transaction.atomic():
        row.save(force_insert=True)
    return row.pk


class FileBatch:
    """The files of one registration, whose names are announced before any is written."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._written: list[str] = []
        self._committing = self.is_kept = False
        self._loose: UUID | None = None
        if names:
            self._loose = _announce(names)

    def save(self, name: str, upload: File) -> StoredFile:
        """Write `upload` to storage under `name`, which was announced; hash it in that pass.

        Raises:
            StorageError: it cannot be written.
        """
        if name not in self._names:
            raise ValueError(f"{name} was not announced")
        content = HashingFile(upload)
        # Remembered before it is written: a write that fails half-way leaves half a file.
        self._written.append(name)
        try:
            self._written[-1] = default_storage.save(name, content)
        except StorageError:
            raise
        except OSError as error:
            raise storage_error(f"{name} cannot be written: {error}", error) from error
        if self._written[-1] != name:
            raise StorageError(f"{name} is there already")
        return StoredFile(name, content.checksum, content.bytes_read)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Open the transaction whose rows name the files: it keeps them when it commits.

        Raises:
            Refused: whoever asks has gone, and would not learn what was registered.
            OutcomeUnknown: the connection broke while it committed.
        """
        try:
            with transaction.atomic():
                if self._loose:
                    mine = LooseFiles.objects.filter(pk=self._loose, given_up=False)
                    if not mine.delete()[0]:
                        raise StorageError("storing the files took so long that they were given up")
                yield
                _check_client_waits()
                self._committing = True
        except DatabaseError as error:
            if not (self._committing and self._has_committed(error)):
                raise
        self.is_kept = True

    def _has_committed(self, error: DatabaseError) -> bool:
        """Return whether the transaction whose commit failed is there nevertheless.

        Its row of `LooseFiles` says so: the transaction deletes it. If it is still there, giving
        the files up keeps the transaction from being committed later.
        """
        try:
            return self._loose is not None and not give_up(self._loose)
        except DatabaseError:
            raise OutcomeUnknown("the connection broke while it committed") from error

    def discard(self) -> None:
        """Remove the files of a registration that failed; leave to `tidy_up` what cannot be."""
        with suppress(DatabaseError):
            if self._loose and (not self._committing or give_up(self._loose)):
                remove(self._loose, self._written)


@contextmanager
def file_batch(names: Collection[str]) -> Iterator[FileBatch]:
    """Keep the files of these names if the block succeeds, remove them if it fails::

        with file_batch([name]) as files:
            stored = files.save(name, upload)
            with files.kept():
                ...  # insert the rows that name them

    Nothing else may be in a transaction yet: it would hold back the announcement.
    """
    batch = FileBatch(names)
    try:
        yield batch
        if not batch.is_kept:
            raise RuntimeError("files were saved and never kept")
    except BaseException:
        batch.discard()
        raise


def release(names: Collection[str]) -> None:
    """Remove files once the transaction commits that deletes the rows which name them."""
    if names:
        loose = _announce(names, given_up=True)
        transaction.on_commit(lambda: remove(loose, names), robust=True)


def give_up(loose: UUID) -> bool:
    """Say of files that no row will ever name them; return False if rows do."""
    return bool(LooseFiles.objects.filter(pk=loose).update(given_up=True))


def remove(loose: UUID, names: Collection[str]) -> bool:
    """Delete files that are given up; return False if some stay, which `tidy_up` tries again."""
    try:
        for name in names:
            default_storage.delete(name)
    except OSError:
        LooseFiles.objects.filter(pk=loose).update(given_up=True)
        return False
    LooseFiles.objects.filter(pk=loose).delete()
    return True


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
