"""Pending files: files in storage that no row names yet, or names any more.

Storage and database cannot commit together, and a process can be killed at any moment. So a row of
`PendingFiles` is committed before any file is written, and lists the names. The transaction that
inserts the rows which name the files deletes it. Whenever the process ends, then:

    before that commit   the `PendingFiles` row is there and lists what to delete
    after that commit    it is gone, and rows name the files

Deleting works in the opposite order: the transaction that deletes the rows adds a `PendingFiles`
row that is abandoned from the start, and the files are deleted after the commit.

`integrity.tidy_up` deletes abandoned files. It also abandons the files of processes that have ended
(`process_locks`) and of registrations that take longer than an hour, such as those of hosts whose
processes it cannot check. To abandon is an UPDATE and to commit is a DELETE of the same row if it
is not abandoned, so the database lets exactly one of them succeed: a process that is slow rather
than dead finds that its row is abandoned, and registers nothing.

None of this depends on the storage: it works the same for a folder and for S3, on one host and on
several.
"""

import uuid
from collections.abc import Collection
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import models, transaction
from django.utils import timezone

from .process_locks import this_process


class PendingFiles(models.Model):
    """The names of files that no row names.

    There is one row for each registration with files that is in progress, and for each that was
    interrupted, until it is tidied up.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # A list of names in storage.
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


def announce(names: Collection[str], *, abandoned: bool = False) -> UUID:
    """Commit a `PendingFiles` row with these names; return its key."""
    row = PendingFiles(names=sorted(names), writer=this_process(), abandoned=abandoned)
    with transaction.atomic():
        row.save(force_insert=True)
    return row.pk


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
