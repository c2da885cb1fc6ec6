"""Server-side folders: where an organisation's data may lie, and what they contain."""

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
    """Return one folder a sample, without ``..`` on the way; relative paths are below `root`.

    With `multiple` they are what lies in the folders, without what is hidden. A path that is no
    such folder is returned itself, for the rules to say why.
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
    """Return what `sample_folders` leaves out: hidden files and folders in those of `multiple`."""
    folders = [Path(os.path.normpath(root / path)) for path in paths] if multiple else []
    return [
        child for folder in folders for child in _children(folder, root) if is_hidden(child.name)
    ]


def _children(folder: Path, root: Path) -> list[Path]:
    # Only below the root, and not through a link: the names of other folders on the server are
    # nobody's business.
    try:
        plain = os.path.realpath(folder) == str(folder)
        return sorted(folder.iterdir()) if plain and folder.is_relative_to(root) else []
    except (OSError, ValueError):  # it is not there, or nothing can be called so
        return []


def folder_files(folder: Path) -> Iterator[Path]:
    """Walk the folder's regular files in a fixed order; links are not followed."""
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
        # As the disk has the name, which need not be UTF-8.
        digest.update(os.fsencode(path.relative_to(folder)) + f"\0{content}\n".encode())
    return digest.hexdigest(), size
