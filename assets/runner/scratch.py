"""Folders that go when their runner does, even if it was killed."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_LOCK = ".lock"


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """Yield a new folder below `folder`, and remove it and those of runners that are gone.

    Whoever uses one holds the lock of the file beside it, which the system takes from the dead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for lock in folder.glob(f"*{_LOCK}"):
        with _held(lock) as is_mine:
            if is_mine:
                _remove(lock)
    own = folder / str(uuid4())
    lock = own.with_name(own.name + _LOCK)
    with _held(lock):
        own.mkdir()
        try:
            yield own
        finally:
            _remove(lock)


@contextmanager
def _held(lock: Path) -> Iterator[bool]:
    """Yield whether the file is locked now."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(descriptor)


def _remove(lock: Path) -> None:
    remove_tree(lock.with_name(lock.name.removesuffix(_LOCK)))
    lock.unlink(missing_ok=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder with all that functions left in it, as far as possible.

    What is in its folders moves up before they go: a function may nest them deeper than paths and
    calls of Python reach.
    """
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        with suppress(OSError):
            path.chmod(0o700)  # a function may close its folders
            with os.scandir(path) as entries:
                found = list(entries)
            for entry in found:
                with suppress(OSError):
                    if not entry.is_dir(follow_symlinks=False):
                        os.unlink(entry.path)  # noqa: PTH108  there may be many
                        continue
                    moved = Path(entry.path)
                    if path != folder:
                        moved.chmod(0o700)  # or it cannot move
                        moved = moved.rename(folder / str(uuid4()))
                    waiting.append(moved)
            if path != folder:
                path.rmdir()
    with suppress(OSError):
        folder.rmdir()
