"""The files of one registration: written and hashed in one pass, and committed with their rows.

`pending` explains what happens to the files when the process is killed in between.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction

from ..connections import client_has_gone
from ..errors import Code, refuse
from .pending import Names, Place, abandon, delete_abandoned
from .storage import HashingFile, StorageError, StoredFile, storage_error

logger = logging.getLogger(__name__)


class OutcomeUnknown(StorageError):
    """The connection broke during the commit, so whether the rows exist is unknown."""


class FileBatch:
    """The files of one registration; their names are announced before any file is written."""

    def __init__(self, where: Names | str) -> None:
        self._where: Names | Place | str = where
        self._written: list[str] = []
        self._committing = self.is_committed = False

    @property
    def _announced(self) -> Names | Place:
        # A registration may turn out to have no files.
        if isinstance(self._where, str):
            self._where = Place(self._where)
        return self._where

    @property
    def _pending(self) -> UUID | None:
        return None if isinstance(self._where, str) else self._where.key

    @property
    def key(self) -> UUID:
        """A new key, which is part of the names."""
        return self._announced.key

    def save(self, file: str, upload: File) -> StoredFile:
        """Write `upload` to storage; return its name, checksum and size.

        Raises:
            StorageError: the storage cannot be written.
            ValueError: the name was not announced.
        """
        name = self._announced.name_of(file)
        content = HashingFile(upload)
        # Recorded before it is written: a write that fails may leave part of a file.
        self._written.append(name)
        try:
            default_storage.save(name, content)
        except FileExistsError as error:
            self._written.remove(name)
            raise StorageError(f"{name} already exists") from error
        except StorageError:
            raise
        except OSError as error:
            raise storage_error(f"{name} cannot be written: {error}", error) from error
        return StoredFile(name, content.checksum, content.bytes_read)

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Open the transaction in which to insert the rows that name the files.

        Raises:
            Refused: the client has closed its connection, so it would not learn the outcome.
            OutcomeUnknown: the connection to the database broke during the commit.
            StorageError: the files were abandoned because writing them took too long.
        """
        try:
            with transaction.atomic():
                # Locks the row until the commit, which whoever abandons it waits for.
                if self._pending and not self._announced.settle():
                    raise StorageError(
                        "the files were abandoned because storing them took too long"
                    )
                yield
                _check_client_waits()
                self._committing = True
        except DatabaseError as error:
            if not (self._committing and self._has_committed(error)):
                raise
        self.is_committed = True

    def _has_committed(self, error: DatabaseError) -> bool:
        """Return whether the transaction whose commit failed took effect nevertheless.

        It settles its `PendingFiles` row, so the row shows it. If it is still there, abandoning
        it keeps the transaction from being committed later.
        """
        try:
            return self._pending is not None and not abandon(self._pending)
        except DatabaseError:
            raise OutcomeUnknown("the connection broke during the commit") from error

    def discard(self) -> None:
        """Delete the files of a failed registration; `tidy_up` deletes those that remain."""
        with suppress(DatabaseError):
            if self._pending and (not self._committing or abandon(self._pending)):
                delete_abandoned(self._pending, self._written)


@contextmanager
def file_batch(where: Names | str) -> Iterator[FileBatch]:
    """Yield a batch whose files stay if the block succeeds, and are deleted if it fails::

        with file_batch("datasets") as files:
            stored = files.save("opener.py", upload)  # datasets/<files.key>/opener.py
            with files.commit():
                ...  # insert the rows that name them

    Call it outside of any transaction, which would delay the commit of the announcement.

    Args:
        where: the room of storage in which the files get a place of their own, or their names.
    """
    batch = FileBatch(where)
    try:
        yield batch
        if not batch.is_committed:
            raise RuntimeError("files were saved, but FileBatch.commit was not used")
    except BaseException:
        batch.discard()
        raise


def _check_client_waits() -> None:
    if client_has_gone():
        # Behind a proxy it is the proxy that has gone; a client it answers would send this again.
        logger.warning("Nothing was registered: the connection was closed before the answer")
        raise refuse(
            Code.BAD_REQUEST,
            "The connection was closed before the answer, so nothing was registered. Send it "
            "again, and let your client, and the proxy before this server, wait longer.",
        )
