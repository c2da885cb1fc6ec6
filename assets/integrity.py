"""Checks that rows and stored files agree, and deletes files of interrupted registrations.

Rows and files are processed in batches of a thousand, with a few queries each. Only the names in
one folder of the storage are in memory at once.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, models
from django.utils import timezone

from .common.db.fields import AssetFileField
from .common.files import process_locks
from .common.files.digest import folder_digest, folder_files
from .common.files.pending import PendingFiles, abandon, delete_abandoned
from .compute.models import FailureReport, Model
from .datasets.models import DataSample, Dataset
from .execution.registration.arrivals import discard_of_ended_jobs
from .functions.models import Function
from .uploads.models import Upload

MODELS: tuple[type[models.Model], ...] = (
    Dataset,
    DataSample,
    Function,
    Model,
    FailureReport,
    Upload,
)
BATCH = 1000  # rows, or names
# A file is stored before its row, so a younger file may belong to an upload in progress.
GRACE = timedelta(hours=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of one file: what, the kind of its row, its name, and the key of the row."""

    what: str
    kind: str
    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.what:<10} {' '.join(filter(None, (self.kind, self.key, self.name)))}"


def _file_fields(model: type[models.Model]) -> list[AssetFileField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, AssetFileField)]


def named_files(model: type[models.Model]) -> Iterator[tuple[str, str, str, int]]:
    """Yield (key, name, sha256, bytes) of every file that rows of `model` name."""
    for field in _file_fields(model):
        # A data sample has one file, whose columns have no prefix.
        prefix = "" if model is DataSample else f"{field.name}_"
        columns = ("pk", field.name, f"{prefix}checksum", f"{prefix}size")
        rows = model._default_manager.exclude(**{field.name: ""}).order_by("pk")
        for key, name, checksum, size in rows.values_list(*columns).iterator(chunk_size=BATCH):
            yield str(key), name, checksum, size


def check_named(model: type[models.Model], *, fast: bool) -> Iterator[Finding | None]:
    """Yield a finding or None for each file or folder that rows of `model` name."""
    kind = str(model._meta.verbose_name)
    for key, name, checksum, size in named_files(model):
        wrong = _wrong_with_file(name, checksum, size, fast=fast)
        yield Finding(wrong, kind, name, key) if wrong else None
    if model is DataSample:
        folders = DataSample.objects.filter(at_runner=False).exclude(path="").order_by("pk")
        for sample in folders.iterator(chunk_size=BATCH):
            wrong = _wrong_with_folder(sample, fast=fast)
            yield Finding(wrong, kind, sample.path, str(sample.key)) if wrong else None


def _wrong_with_file(name: str, checksum: str, size: int, *, fast: bool) -> str:
    """Return the problem in one word; blank if the file is correct."""
    try:
        if not default_storage.exists(name):
            return "missing"
        same = default_storage.size(name) == size and (fast or stored_checksum(name) == checksum)
    except OSError:
        return "unreadable"
    return "" if same else "mismatch"


def stored_checksum(name: str) -> str:
    """Return the sha256 of a stored file. Raises: OSError if it cannot be read."""
    with default_storage.open(name) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wrong_with_folder(sample: DataSample, *, fast: bool) -> str:
    folder = Path(sample.path)
    try:
        if not folder.is_dir():
            return "missing"
        if fast:
            same = sum(path.stat().st_size for path in folder_files(folder)) == sample.size
        else:
            same = folder_digest(folder) == (sample.checksum, sample.size)
    except OSError:
        return "unreadable"
    return "" if same else "mismatch"


def orphans() -> Iterator[str]:
    """Yield the names of stored files that no row names or will name."""
    # In this order: files become pending first, and rows name them afterwards.
    for names in _batches(stored_files()):
        pending = _in_progress()
        known = _known(names)
        yield from (
            name for name in names if name not in known and pending.isdisjoint(_with_folders(name))
        )


def _in_progress() -> set[str]:
    """Return the names, of files and of folders, that may still be registered."""
    rows, now = PendingFiles.objects.all(), timezone.now()
    return {name for row in rows if not _is_abandoned(row, now) for name in row.names}


def _with_folders(name: str) -> Iterator[str]:
    """Yield the name of a file, and those of the folders that it is in."""
    return accumulate(name.split("/"), "{}/{}".format)


def _is_abandoned(row: PendingFiles, now: datetime) -> bool:
    """Return whether no process will commit these files any more."""
    return row.abandoned or row.since < now - GRACE or process_locks.has_ended(row.writer)


def stored_files(folder: str = "") -> Iterator[str]:
    """Yield the names of the files in a folder of the storage and below; by default of all."""
    try:
        folders, files = default_storage.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):  # the storage was never used
        return
    yield from (f"{folder}/{name}".lstrip("/") for name in sorted(files))
    for child in sorted(folders):
        yield from stored_files(f"{folder}/{child}".lstrip("/"))


def _batches(names: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(names)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _known(names: list[str]) -> set[str]:
    known: set[str] = set()
    for model in MODELS:
        for field in _file_fields(model):
            rows = model._default_manager.filter(**{f"{field.name}__any": names})
            known.update(rows.values_list(field.name, flat=True))
    return known


def remove_orphan(name: str) -> bool:
    """Delete an orphan, unless it is younger than `GRACE`; return whether it was deleted."""
    if default_storage.get_modified_time(name) > timezone.now() - GRACE:
        return False
    default_storage.delete(name)
    return True


def tidy_up() -> int:
    """Delete the files of interrupted registrations; return the number of deleted files.

    It leaves files of running processes alone, on this host and on others. Any number of processes
    can call it at any time.
    """
    # Before the rows are read: processes that have ended have announced all their files.
    ended = list(process_locks.ended())
    removed = 0
    for row in PendingFiles.objects.order_by("since"):
        # `_unnamed`: a second check before files are deleted for good.
        if _is_abandoned(row, timezone.now()) and abandon(row.pk):
            # Each is a file, or a folder of files.
            files = (file for name in row.names for file in files_at(name))
            names = [name for batch in _batches(files) for name in _unnamed(batch)]
            removed += len(names) if delete_abandoned(row.pk, names) else 0
    discard_of_ended_jobs()
    pending = set(PendingFiles.objects.values_list("writer", flat=True))
    for writer in ended:
        if writer not in pending:
            process_locks.forget(writer)
    return removed


def files_at(name: str) -> list[str]:
    """Return the names of the files at a place: of the one file, or of those in the folder."""
    return [*stored_files(name)] or [name] * default_storage.exists(name)


def _unnamed(names: list[str]) -> Iterator[str]:
    known = _known(names)
    return (name for name in names if name not in known)


def tidy_up_at_start() -> None:
    """Tidy up in a thread when a worker starts; failures are logged."""
    try:
        if removed := tidy_up():
            logger.warning("Deleted %d files of interrupted registrations", removed)
    except (DatabaseError, OSError):
        logger.exception("Files of interrupted registrations could not be deleted")
    finally:
        connection.close()
