"""What a runner keeps on its disk, by name, within a size; what was used longest ago goes first.

Threads and runners may share a folder. An entry is a file or a folder in ``entries/``, and never
changes. Beside it, ``locks/`` has a file of the same name: whoever uses the entry holds a shared
lock of it, and whoever makes or removes the entry holds it alone. A process that is killed loses
its locks, and what it was making is made again.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from .scratch import remove_tree
from .stopping import Stopped

_PATIENCE = 0.05  # seconds between two attempts to get a lock


class Cache:
    """Files and folders below `folder`, of at most `size` bytes besides those in use."""

    def __init__(self, folder: Path, size: int) -> None:
        self.size = size
        self.entries, self.locks = folder / "entries", folder / "locks"
        self.unfinished = folder / "unfinished"
        for path in (self.entries, self.locks, self.unfinished):
            path.mkdir(parents=True, exist_ok=True)
        for path in self.unfinished.iterdir():
            with self._locked(path.name, fcntl.LOCK_EX) as lock:
                if lock is not None:
                    _remove(path)

    @contextmanager
    def held(self, name: str, make: Callable[[Path], None], stop: Event) -> Iterator[Path]:
        """Yield the path of an entry, which stays there until the end of the block.

        Args:
            make: writes the entry, if it is not there, to the path that it gets. If it raises, the
                entry is not kept.
            stop: ends the wait for others that make the same.

        Raises:
            Stopped: `stop` was set while waiting.
        """
        path, lock_file = self.entries / name, self.locks / name
        while True:
            with self._locked(name, fcntl.LOCK_SH) as lock:
                if lock is not None and path.exists():
                    os.utime(lock)  # when it was used last
                    yield path
                    return
            with self._locked(name, fcntl.LOCK_EX) as lock:
                if lock is not None:
                    if not path.exists():
                        self._make(name, make, lock)
                    # Others may remove it before this lock is shared.
                    if _lock(lock, lock_file, fcntl.LOCK_SH) and path.exists():
                        yield path
                        return
            if stop.wait(_PATIENCE):
                raise Stopped

    def _make(self, name: str, make: Callable[[Path], None], lock: int) -> None:
        path = self.unfinished / name
        _remove(path)
        try:
            make(path)
            # The size of the lock file is that of its entry: a file without blocks costs nothing,
            # and one look at the folder shows the sizes of all.
            os.ftruncate(lock, _disk_usage(path))
            path.rename(self.entries / name)
        finally:
            _remove(path)
        self._shrink()

    def _shrink(self) -> None:
        """Remove what no one uses, the oldest use first, until the rest fits."""
        uses = []
        with os.scandir(self.locks) as files:
            for file in files:
                with suppress(FileNotFoundError):  # another runner removes it at this moment
                    uses.append((file.stat().st_mtime_ns, file.stat().st_size, file.name))
        left = sum(size for _used, size, _name in uses) - self.size
        for _used, size, name in sorted(uses):
            if left <= 0:
                break
            with self._locked(name, fcntl.LOCK_EX) as lock:
                if lock is not None:
                    # An interruption leaves no entry that is incomplete.
                    with suppress(FileNotFoundError):  # it could not be made
                        (self.entries / name).rename(self.unfinished / name)
                    _remove(self.unfinished / name)
                    (self.locks / name).unlink()
                    left -= size

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[int | None]:
        """Yield the descriptor of the lock of that name; None if others hold it."""
        path = self.locks / name
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            yield descriptor if _lock(descriptor, path, how) else None
        finally:
            os.close(descriptor)


def _lock(descriptor: int, path: Path, how: int) -> bool:
    """Return whether the file at `path` is locked now, and still the one that was opened."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _disk_usage(path: Path) -> int:
    """Return the bytes that a file or folder takes on the disk."""
    paths = [path, *path.rglob("*")] if path.is_dir() else [path]
    return sum(each.lstat().st_blocks * 512 for each in paths)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink()
