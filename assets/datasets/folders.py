"""Folders on the server: where an organisation registers data in place."""

import os
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from ..common.files.digest import folder_files
from ..common.files.hidden import is_hidden

# Of a file, in memory at once.
_CHUNK = 256 * 1024


def organization_root(organization_id: str) -> Path:
    """Return the folder below which the organisation registers data in place."""
    return (Path(settings.SERVERMEDIAS_ROOT) / organization_id).resolve()


def sample_folders(paths: Sequence[Path], root: Path, *, multiple: bool) -> list[Path]:
    """Return one folder for each sample, without ``..``; relative paths are below `root`.

    With `multiple`, these are the visible subfolders of the paths. A path without any is returned
    itself, for the rules to report.
    """
    folders = [Path(os.path.normpath(root / path)) for path in paths]
    if not multiple:
        return folders
    return [
        child
        for folder in folders
        for child in [c for c in _children(folder, root) if not is_hidden(c.name)] or [folder]
    ]


def left_out(paths: Sequence[Path], root: Path, *, multiple: bool) -> list[Path]:
    """Return the hidden files and folders that `sample_folders` leaves out with `multiple`."""
    folders = [Path(os.path.normpath(root / path)) for path in paths] if multiple else []
    return [
        child for folder in folders for child in _children(folder, root) if is_hidden(child.name)
    ]


def _children(folder: Path, root: Path) -> list[Path]:
    # Only below the root and not through a link, or users could list other folders of the server.
    try:
        plain = os.path.realpath(folder) == str(folder)
        return sorted(folder.iterdir()) if plain and folder.is_relative_to(root) else []
    except (OSError, ValueError):  # it does not exist, or no file can have this name
        return []


def tar_of_folder(folder: Path) -> Iterator[bytes]:
    """Yield a tar archive of the folder's regular files, of which little is in memory at once.

    Raises:
        OSError: something in it cannot be read, or has become shorter meanwhile.
    """
    for path in folder_files(folder):
        with path.open("rb") as file:
            entry = tarfile.TarInfo(os.fspath(path.relative_to(folder)))
            left = entry.size = os.fstat(file.fileno()).st_size
            yield entry.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
            while left:
                chunk = file.read(min(left, _CHUNK))
                if not chunk:
                    raise OSError(f"{path} has become shorter while it was read")
                left -= len(chunk)
                yield chunk
            yield bytes(-entry.size % tarfile.BLOCKSIZE)
    yield bytes(2 * tarfile.BLOCKSIZE)
