"""Pending files: files in storage that no row names yet, or names any more.

Storage and database cannot commit together, and a process can be killed at any moment. So a row of
`PendingFiles` is committed before any file is written, and lists the names. The transaction that
inserts the rows which name the files settles it. Whenever the process ends, then:

    before that commit   the `PendingFiles` row is there and lists what to delete
    after that commit    it is gone, and rows name the files

A registration writes its files to a place of its own, `datasets/<key>`. A place is announced ahead:
the transaction that settles the `PendingFiles` row of one place turns it into that of the next one,
and whatever this process registers next needs no transaction to announce its files.

Deleting works in the opposite order: the transaction that deletes the rows adds a `PendingFiles`
row that is abandoned from the start, and the files are deleted after the commit.

`integrity.tidy_up` deletes abandoned files. It also abandons the files of processes that have ended
(`process_locks`) and of registrations that take longer than an hour, such as those of hosts whose
processes it cannot check. To abandon is an UPDATE and to settle is a change of the same row if it
is not abandoned, so the database lets exactly one of them succeed: a process that is slow rather
than dead finds that its row is abandoned, and registers nothing.

None of this depends on the storage: it works the same for a folder and for S3, on one host and on
several.
"""

import os
import time
import uuid
from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection, models, transaction
from django.utils import timezone

from ..db import bulk
from .process_locks import this_process


class PendingFiles(models.Model):
    """The names of files that no row names.

    There is one row for each registration with files that is in progress, for each that was
    interrupted, until it is tidied up, and for each place that is announced ahead.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A list of names in storage: of files, and of folders with files.
    names = models.JSONField()
    # The process that writes the files; see `process_locks`.
    writer = models.UUIDField()
    since = models.DateTimeField(default=timezone.now)
    # No row will ever name the files, so any process may delete them. The column and the table have
    # older names: during an upgrade, two versions of the server work on one database.
    abandoned = models.BooleanField(default=False, db_column="given_up")

    class Meta:
        db_table = "assets_loosefiles"
        verbose_name = verbose_name_plural = "pending files"

    def __str__(self) -> str:
        return ", ".join(self.names)


def announce(names: Collection[str], *, key: UUID | None = None, abandoned: bool = False) -> UUID:
    """Commit a `PendingFiles` row with these names; return its key."""
    row = PendingFiles(
        id=key or uuid.uuid4(), names=sorted(names), writer=this_process(), abandoned=abandoned
    )
    with transaction.atomic():
        row.save(force_insert=True)
    return row.pk


class Names:
    """Names of files that are announced now, and the key of their row."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self.key = announce(names)

    def name_of(self, file: str) -> str:
        """Return the name of a file in storage. Raises: ValueError if it was not announced."""
        if file not in self._names:
            raise ValueError(f"{file} was not announced")
        return file

    def settle(self) -> bool:
        """Return True once the row is gone, in the current transaction; False if abandoned."""
        return bool(PendingFiles.objects.filter(pk=self.key, abandoned=False).delete()[0])


# Places that are announced ahead, by process and room: their keys, and since when.
ahead: defaultdict[tuple[int, str], list[tuple[UUID, float]]] = defaultdict(list)
# An older row is renewed first: far below the age at which `integrity` abandons it.
MAX_SECONDS_AHEAD = 600


class Place:
    """A place for the files of one registration, `room/key`, and the key of its row.

    The place is one file, or a folder of files.
    """

    def __init__(self, room: str) -> None:
        self._room = room
        self._ahead = ahead[os.getpid(), room]
        self.key = self._announced_ahead() or self._announced_now()

    def _announced_ahead(self) -> UUID | None:
        with suppress(IndexError):
            while True:
                key, since = self._ahead.pop()
                if time.monotonic() - since < MAX_SECONDS_AHEAD or _renew(key):
                    return key
        return None

    def _announced_now(self) -> UUID:
        key = uuid.uuid4()
        return announce([f"{self._room}/{key}"], key=key)

    def name_of(self, file: str) -> str:
        """Return the name of a file in storage; of the place itself for an empty one."""
        return f"{self._room}/{self.key}/{file}".rstrip("/")

    def settle(self) -> bool:
        """Return True once its row announces the next place, in the current transaction.

        Returns False if it was abandoned.
        """
        following = uuid.uuid4()
        names = [f"{self._room}/{following}"]
        if not _change(self.key, id=following, names=names, since=timezone.now()):
            return False
        transaction.on_commit(partial(self._ahead.append, (following, time.monotonic())))
        return True


def _renew(pending: UUID) -> bool:
    return _change(pending, since=timezone.now())


def _change(pending: UUID, **values: Any) -> bool:
    """Change columns of a row; return False if it was abandoned."""
    meta: Any = PendingFiles._meta
    abandoned = meta.get_field("abandoned").column
    changes = ", ".join(f"{name} = %s" for name in values)
    params = [
        meta.get_field(name).get_db_prep_save(value, connection)
        for name, value in (*values.items(), ("id", pending))
    ]
    sql = f"UPDATE {meta.db_table} SET {changes} WHERE id = %s AND NOT {abandoned} RETURNING id"  # noqa: S608
    return bool(bulk.run(sql, params))


def abandon(pending: UUID) -> bool:
    """Return True once no row can ever name these files; False if rows name them already."""
    return bool(PendingFiles.objects.filter(pk=pending).update(abandoned=True))


def delete_abandoned(pending: UUID, names: Collection[str]) -> bool:
    """Delete files that no row will name; return False if some remain, for `tidy_up` to retry."""
    try:
        for name in names:
            default_storage.delete(name)
    except OSError:
        PendingFiles.objects.filter(pk=pending).update(abandoned=True)
        return False
    PendingFiles.objects.filter(pk=pending).delete()
    return True


def delete_on_commit(names: Collection[str]) -> None:
    """Delete files once the current transaction, which deletes the rows that name them, commits."""
    if names:
        pending = announce(names, abandoned=True)
        transaction.on_commit(lambda: delete_abandoned(pending, names), robust=True)
