"""Which of the processes that write files have ended, for any reason.

A process that writes files locks a file of its own in VAR_DIR/writers. The system releases the lock
when the process ends, even by kill -9. Process ids and clocks would not do: ids are reused, and
clocks differ. Nothing is known about processes on other hosts, whose files are not here.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings


def _folder() -> Path:
    return Path(settings.VAR_DIR) / "writers"


def this_process() -> UUID:
    """Return the id of this process, which holds its lock until it ends."""
    return _writer(os.getpid())


@cache
def _writer(pid: int) -> UUID:
    # Cached by pid, since a forked process is another writer.
    writer = uuid4()
    # If VAR_DIR is not writable, the process is treated like one of another host.
    with suppress(OSError):
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        new = _folder() / f"{writer}.new"
        # Never closed, which would release the lock.
        fcntl.flock(os.open(new, os.O_CREAT | os.O_EXCL, 0o600), fcntl.LOCK_EX)
        # It gets its name once it is locked.
        new.rename(_folder() / str(writer))
    return writer


def has_ended(writer: UUID) -> bool:
    """Return whether the process is known to have ended."""
    try:
        with (_folder() / str(writer)).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # locked, or of another host
        return False
    return True


def ended() -> Iterator[UUID]:
    """Yield the processes of this host that have ended, until `forget` removes them."""
    for path in sorted(_folder().glob("*")):
        with suppress(ValueError):
            writer = UUID(path.name)
            if has_ended(writer):
                yield writer


def forget(writer: UUID) -> None:
    """Remove the lock file of a process that has ended and has no pending files."""
    (_folder() / str(writer)).unlink(missing_ok=True)
