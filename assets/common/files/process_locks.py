"""Which processes write files, and which of them have ended, however they ended.

A process that writes files holds a lock on a file of its own in VAR_DIR/writers. The system lets go
of the lock when the process ends, be it by kill -9, and of nothing else can that be said: numbers
of processes are given again, and clocks differ. Of a process on another host, whose file is not
here, nothing is known.
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
    """Return who writes files here; it counts as living until the process ends."""
    return _writer(os.getpid())


@cache
def _writer(pid: int) -> UUID:
    # A process forked from this one is another writer: hence by pid.
    writer = uuid4()
    # Where VAR_DIR cannot be written, nobody knows when this process ends: as with other hosts.
    with suppress(OSError):
        _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        new = _folder() / f"{writer}.new"
        # Never closed: that would say that the process has ended.
        fcntl.flock(os.open(new, os.O_CREAT | os.O_EXCL, 0o600), fcntl.LOCK_EX)
        # Nobody finds it before it is locked.
        new.rename(_folder() / str(writer))
    return writer


def has_ended(writer: UUID) -> bool:
    """Return whether that process is known to have ended."""
    try:
        with (_folder() / str(writer)).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:  # it is locked, or not here
        return False
    return True


def ended() -> Iterator[UUID]:
    """Yield the processes of this host that have ended and are not forgotten yet."""
    for path in sorted(_folder().glob("*")):
        with suppress(ValueError):
            writer = UUID(path.name)
            if has_ended(writer):
                yield writer


def forget(writer: UUID) -> None:
    """Forget a process that has ended and left nothing."""
    (_folder() / str(writer)).unlink(missing_ok=True)
