"""Server-side folders: where an organisation's data may lie, and what they contain."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings


def organization_root(organization_id: str) -> Path:
    """Return the folder below which the organisation registers data in place."""
    return (Path(settings.SERVERMEDIAS_ROOT) / organization_id).resolve()


def sample_folders(paths: Sequence[Path], root: Path, *, multiple: bool) -> list[Path]:
    """Return one folder a sample; relative paths are below `root`."""
    folders = [root / path for path in paths]
    if not multiple:
        return folders
    # Only below the root: the names of other folders on the server are nobody's business.
    inside = [folder for folder in folders if folder.resolve().is_relative_to(root)]
    if len(inside) != len(folders) or not all(folder.is_dir() for folder in folders):
        return folders
    return [child for folder in folders for child in sorted(folder.iterdir())]


def folder_files(folder: Path) -> Iterator[Path]:
    """Walk the folder's regular files in a fixed order; links are not followed."""
    for parent, names, files in os.walk(folder):
        names.sort()
        for name in sorted(files):
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def folder_digest(folder: Path) -> tuple[str, int]:
    """Return the sha256 of the folder's file names and contents, and its size in bytes."""
    digest, size = hashlib.sha256(), 0
    for path in folder_files(folder):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        size += path.stat().st_size
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest(), size
