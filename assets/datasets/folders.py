"""Folders on the server: where an organisation registers data in place, and their contents."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings

from ..common.files.hidden import is_hidden


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


def folder_files(folder: Path) -> Iterator[Path]:
    """Yield the folder's regular files in a fixed order; links are not followed."""
    for parent, names, files in os.walk(folder, onerror=_fail):
        names.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _fail(error: OSError) -> None:
    raise error


def folder_digest(folder: Path) -> tuple[str, int]:
    """Return the sha256 of the folder's file names and contents, and its size in bytes.

    Raises:
        OSError: something in it cannot be read.
    """
    digest, size = hashlib.sha256(), 0
    for path in folder_files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        size += path.stat().st_size
        # The bytes of the name on disk, which need not be UTF-8.
        digest.update(os.fsencode(path.relative_to(folder)) + f"\0{content}\n".encode())
    return digest.hexdigest(), size
