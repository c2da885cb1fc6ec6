"""Models on their way from runners: the parts that have come, until a model is whole.

A runner sends a model in parts, so that one that breaks off costs little. They are appended to a
file below VAR_DIR. On several hosts a part may come to another host, which has nothing of the
model: it says so, and the runner sends the whole of it there.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.core.files.base import File

from ...common.errors import Code, Refused, refuse
from ...common.files.storage import storage_error
from ...common.parsing import as_key
from ...compute.models import Model
from ...compute.registration.results import check_model, known_model, register_model
from ..models import Job
from .leases import has_ended, hold

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Announced:
    """What a runner says of a model: its key, its output, its sha256 and its size in bytes."""

    key: UUID
    identifier: str
    checksum: str
    size: int


class WrongOffset(Exception):
    """A part that does not begin where the parts before it ended; `received` says where that is."""

    def __init__(self, received: int) -> None:
        self.received = received
        super().__init__(f"{received} bytes have come. Send those that follow.")


def folder() -> Path:
    """Return the folder of models on their way: a folder for each job, with a file for each."""
    return Path(settings.VAR_DIR) / "arrivals"


def received(job: Job, key: UUID) -> int:
    """Return how many bytes of a model have come: all of them once it is registered."""
    model = Model.objects.filter(pk=key, task=job.task_id).first()
    if model:
        return model.file_size
    try:
        return _path(job, key).stat().st_size
    except FileNotFoundError:
        return 0


def add_part(job: Job, model: Announced, offset: int, read: Callable[[int], bytes]) -> Model | int:
    """Keep a part of a model; return the model once it is whole, and before that its size so far.

    Args:
        offset: where in the file of the model the part begins.
        read: reads at most this number of bytes of the part.

    Raises:
        Refused: the job has ended, its task makes no such model, or the bytes are others than
            announced.
        WrongOffset: it does not follow the parts before.
        StorageError: the disk cannot be written.
    """
    task = job.task_id
    if task is None:
        raise refuse(Code.BAD_REQUEST, f'Job "{job.pk}" makes no models. Only tasks do.')
    if known := known_model(task, model.identifier, model.key, model.checksum):
        return known
    if job.ended_at is not None:
        raise has_ended(job)
    check_model(task, model.identifier, job.claimed_at)
    try:
        with _locked(_path(job, model.key)) as file:
            size = _append(file, model, offset, read)
            return size if size < model.size else _register(job, task, model, file)
    except OSError as error:
        raise storage_error(f"a model on its way cannot be kept: {error}", error) from error


def _append(file: IO[bytes], model: Announced, offset: int, read: Callable[[int], bytes]) -> int:
    """Append a part to what has come, and return the size of both."""
    size = os.fstat(file.fileno()).st_size
    if offset != size:
        raise WrongOffset(size)
    while chunk := read(_CHUNK):
        size += len(chunk)
        if size > model.size:
            _delete(file)
            message = f"The model has more than the {model.size} bytes that you announced."
            raise refuse(Code.BAD_REQUEST, f"{message} Send it again from its beginning.")
        file.write(chunk)
    file.flush()
    return size


def _register(job: Job, task: UUID, model: Announced, file: IO[bytes]) -> Model:
    file.seek(0)
    try:
        registered = register_model(
            task,
            model.identifier,
            model.key,
            File(file),
            model.checksum,
            job.runner.agent,
            begin=lambda: hold(job.pk),
            since=job.claimed_at,
        )
    except Refused:
        # Such as for other bytes than announced: nothing can follow them.
        _delete(file)
        raise
    _delete(file)
    return registered


def _delete(file: IO[bytes]) -> None:
    Path(file.name).unlink(missing_ok=True)


def _path(job: Job, key: UUID) -> Path:
    return folder() / str(job.pk) / str(key)


@contextmanager
def _locked(path: Path) -> Iterator[IO[bytes]]:
    """Open the file of a model on its way for one request at a time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    while True:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever had the lock before may have deleted it.
            if os.fstat(file.fileno()).st_nlink:
                yield file
                return


def discard(job: UUID) -> None:
    """Delete what has come of the models of a job that has ended."""
    shutil.rmtree(folder() / str(job), ignore_errors=True)


def discard_of_ended_jobs() -> None:
    """Delete what has come of the models of jobs that are not open."""
    try:
        jobs = {key for path in folder().iterdir() if (key := as_key(path.name))}
    except FileNotFoundError:
        return
    open_jobs = Job.objects.filter(pk__in=jobs, ended_at=None)
    for job in jobs.difference(open_jobs.values_list("pk", flat=True)):
        discard(job)
