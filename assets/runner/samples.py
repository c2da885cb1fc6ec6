"""Data samples that stay on the organisation's machine: folders below the runner's data root."""

import hashlib
import os
from pathlib import Path, PurePosixPath
from threading import Lock

from ..common.files.digest import folder_digest, folder_files


class BadSample(Exception):
    """A data sample is not where, or not what, was registered; the text says why.

    It names no path: it may become the log of a task, which others than the owner read.
    """


class DataRoot:
    """The folder below which an organisation keeps its data samples. Threads may share it."""

    def __init__(self, path: Path | None) -> None:
        self.path = path and path.resolve()
        self._lock = Lock()
        self._known: dict[Path, tuple[str, str, int]] = {}

    def folder(self, relative: str) -> Path:
        """Return the folder at a path below the data root.

        Raises:
            BadSample: there is none, or the path leads out of the data root.
        """
        if self.path is None:
            raise BadSample(
                "The data sample stays with its owner, whose runner has no data root. Start it "
                "with --data-root."
            )
        given = PurePosixPath(relative)
        if not given.parts or "\0" in relative or given.is_absolute() or ".." in given.parts:
            raise BadSample("Its path is not a path below the data root.")
        folder = self.path / given
        if folder.resolve() != folder:
            raise BadSample(
                "Its path leads through a link. Enter the path of the folder itself, below the "
                "data root."
            )
        if not folder.is_dir():
            raise BadSample("There is no folder at its path below the data root.")
        return folder

    def digest(self, relative: str) -> tuple[str, int]:
        """Return the checksum and the size of a folder below the data root.

        The content is read again only if a name, a size or a date below the folder changed.

        Raises:
            BadSample: it cannot be read, or has no files.
        """
        folder = self.folder(relative)
        try:
            state = _state(folder)
            with self._lock:
                known = self._known.get(folder)
            if known is None or known[0] != state:
                known = (state, *folder_digest(folder))
                with self._lock:
                    self._known[folder] = known
        except OSError as error:
            raise BadSample(f"Its folder cannot be read: {error.strerror}.") from error
        if not known[2]:
            raise BadSample("Its folder has no data. Put the files of the data sample in it.")
        return known[1:]

    def check(self, relative: str, checksum: str) -> Path:
        """Return the folder, whose content has the checksum; any has if `checksum` is blank.

        Raises:
            BadSample: its content is another one, or it is not there.
        """
        found, _size = self.digest(relative)
        if checksum and found != checksum:
            raise BadSample(
                "The data sample's folder has changed since it was registered. Restore its "
                "content, or register the changed folder as a new data sample."
            )
        return self.folder(relative)


def _state(folder: Path) -> str:
    """Return a text that changes whenever a file below the folder does."""
    state = hashlib.sha256()
    for path in folder_files(folder):
        found = path.stat()
        stamps = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        state.update(os.fsencode(path) + f"\0{stamps}\n".encode())
    return state.hexdigest()
