"""Turns: which of several tries of a job on a cluster may go on, if any.

A scheduler starts a job again when it loses the worker, which may still be alive, and cannot stop
one that runs. So each job has a file on the disk that the runner and all workers share. The runner
creates it, touches it now and then, and removes it when the job is no longer wanted. Each try
writes its name into it, and ends once it reads another, or no file, or the runner is gone.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

from . import JobFolder

PAUSE = 0.5  # seconds between two looks at the file
DAY = 86_400
SILENCE = 60.0  # seconds without a touch, after which the runner is gone: a lease of the server


class Turn:
    """The runner's side of a turn."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.name = str(uuid4())
        self.path = folder / self.name
        self.path.touch()

    def touch(self) -> None:
        """Let workers know that the runner is there."""
        os.utime(self.path)

    def end(self) -> bool:
        """End the turn, and return whether a worker had taken it."""
        taken = bool(_holder(self.path))
        self.path.unlink()
        return taken


def remove_left(folder: Path) -> None:
    """Remove the turns that runners left long ago because they were killed."""
    for path in folder.glob("*"):
        with suppress(FileNotFoundError):  # another runner was faster
            if time.time() - path.stat().st_mtime > DAY:
                path.unlink()


@contextmanager
def taken(path: Path, folder: JobFolder | None, silence: float = SILENCE) -> Iterator[Event]:
    """Take the turn for the block, and yield the event that says when to end.

    The folder of a job is as new then, whatever an earlier try does in the old one.
    """
    name, stop, done = str(uuid4()), Event(), Event()
    try:
        with path.open("r+") as file:
            is_first = not file.read()
            file.seek(0)
            file.write(name)
    except FileNotFoundError:
        stop.set()
        yield stop
        return
    if folder and not is_first:
        for each in (folder.work, folder.outputs):
            each.rename(each.with_name(f"{each.name}-before-{name}"))
            each.mkdir()
    watcher = Thread(target=_watch, args=(path, name, silence, stop, done), daemon=True)
    watcher.start()
    try:
        yield stop
    finally:
        done.set()
        watcher.join()


def _watch(path: Path, name: str, silence: float, stop: Event, done: Event) -> None:
    """Set `stop` when the turn is over. Clocks of machines differ: only changes count."""
    touched, heard = 0, time.monotonic()
    while not done.wait(PAUSE):
        try:
            latest = path.stat().st_mtime_ns
        except OSError:
            latest = touched
        if latest != touched:
            touched, heard = latest, time.monotonic()
        if _holder(path) != name or time.monotonic() - heard > silence:
            stop.set()
            return


def _holder(path: Path) -> str:
    """Return the name of the try whose turn it is; blank for none."""
    try:
        return path.read_text()
    except OSError:
        return ""
