"""Do rows and stored files agree? Every file that a row names, and every file that none names.

Rows, files and the folders of the storage are walked a piece at a time, with a few queries for a
thousand files. What is held at once is the storage's own list of one folder's names.
"""

import hashlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, models
from django.utils import timezone

from .common.db.fields import AssetFileField
from .common.files import process_locks
from .common.files.pending import PendingFiles, abandon, delete_abandoned
from .compute.models import FailureReport, Model
from .datasets.folders import folder_digest, folder_files
from .datasets.models import DataSample, Dataset
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
CHUNK = 1024 * 1024  # bytes of a file
BATCH = 1000  # rows, or names
# A file is stored before its row: one that is younger may belong to an upload in progress.
GRACE = timedelta(hours=1)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one file."""

    what: str
    kind: str
    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.what:<10} {' '.join(filter(None, (self.kind, self.key, self.name)))}"


def _file_fields(model: type[models.Model]) -> list[AssetFileField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, AssetFileField)]


def named_files(model: type[models.Model]) -> Iterator[tuple[str, str, str, int]]:
    """Yield (key, name, checksum, size) of every file that rows of `model` name."""
    for field in _file_fields(model):
        # A data sample is its one file, so its columns do not repeat the file's name.
        prefix = "" if model is DataSample else f"{field.name}_"
        columns = ("pk", field.name, f"{prefix}checksum", f"{prefix}size")
        rows = model._default_manager.exclude(**{field.name: ""}).order_by("pk")
        for key, name, checksum, size in rows.values_list(*columns).iterator(chunk_size=BATCH):
            yield str(key), name, checksum, size


def check_named(model: type[models.Model], *, fast: bool) -> Iterator[Finding | None]:
    """Yield, for each file or folder that rows name, what is wrong with it, or None."""
    kind = str(model._meta.verbose_name)
    for key, name, checksum, size in named_files(model):
        wrong = _wrong_with_file(name, checksum, size, fast=fast)
        yield Finding(wrong, kind, name, key) if wrong else None
    if model is DataSample:
        folders = DataSample.objects.exclude(path="").order_by("pk")
        for sample in folders.iterator(chunk_size=BATCH):
            wrong = _wrong_with_folder(sample, fast=fast)
            yield Finding(wrong, kind, sample.path, str(sample.key)) if wrong else None


def _wrong_with_file(name: str, checksum: str, size: int, *, fast: bool) -> str:
    """Return what is wrong in a word; nothing if the file is as it was registered."""
    try:
        if not default_storage.exists(name):
            return "missing"
        same = default_storage.size(name) == size and (fast or _checksum(name) == checksum)
    except OSError:
        return "unreadable"
    return "" if same else "mismatch"


def _checksum(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name) as file:
        while data := file.read(CHUNK):
            digest.update(data)
    return digest.hexdigest()


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
    """Yield the names of the stored files that no row names, nor will: those under way are none."""
    # First the storage, then what is under way, then the rows: each becomes the next.
    for names in _batches(_stored("")):
        known = _under_way() | _known(names)
        yield from (name for name in names if name not in known)


def _under_way() -> set[str]:
    loose = PendingFiles.objects.all()
    return {name for row in loose if not _is_left(row, timezone.now()) for name in row.names}


def _is_left(row: PendingFiles, now: datetime) -> bool:
    """Return whether nobody is at these files any more."""
    return row.abandoned or row.since < now - GRACE or process_locks.has_ended(row.writer)


def _stored(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    yield from (f"{folder}/{name}".lstrip("/") for name in sorted(files))
    for child in sorted(folders):
        yield from _stored(f"{folder}/{child}".lstrip("/"))


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
    """Delete an orphan; leave one so young that its registration may not have ended."""
    if default_storage.get_modified_time(name) > timezone.now() - GRACE:
        return False
    default_storage.delete(name)
    return True


def tidy_up() -> int:
    """Remove the files of registrations that were cut off; return how many files that were.

    What living processes write is left alone, on this host and on others. It may be called at any
    time, by any number of processes.
    """
    # Before the rows: whatever these have written, they have announced.
    ended = list(process_locks.ended())
    removed = 0
    for row in PendingFiles.objects.order_by("since"):
        # No row may name them; were that ever wrong, a file would be lost.
        if _is_left(row, timezone.now()) and abandon(row.pk):
            names = [name for batch in _batches(row.names) for name in _unnamed(batch)]
            removed += len(names) if delete_abandoned(row.pk, names) else 0
    left = set(PendingFiles.objects.values_list("writer", flat=True))
    for writer in ended:
        if writer not in left:
            process_locks.forget(writer)
    return removed


def _unnamed(names: list[str]) -> Iterator[str]:
    known = _known(names)
    return (name for name in names if name not in known)


def tidy_up_at_start() -> None:
    """Tidy up in a thread beside the first requests; a failure is logged."""
    try:
        if removed := tidy_up():
            logger.warning("%d files of registrations that were cut off are removed", removed)
    except (DatabaseError, OSError):
        logger.exception("Files of registrations that were cut off could not be removed")
    finally:
        connection.close()
