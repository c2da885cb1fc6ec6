"""The checksum of a folder: of the names and contents of its files."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path


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
