"""Makes a backup while the server runs.

Files are stored before their rows commit, and never change. So the rows are read first, from one
snapshot, and the files that they name afterwards: all of them exist by then.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import orjson
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from ..integrity import MODELS, named_files
from .manifest import (
    CHUNK,
    BackupError,
    Manifest,
    file_path,
    files_list,
    read_manifest,
    sha256_of,
)
from .rows import EXCLUDED_MODELS, applied_migrations, backed_up_models, snapshot, write_table


def make_backup(
    folder: Path, *, link: bool = False, previous: Path | None = None, keep_going: bool = False
) -> Manifest:
    """Write a backup into `folder`; return its manifest.

    Args:
        folder: must be empty or not exist.
        link: make hard links to files of a storage that is a folder on the same disk.
        previous: an earlier backup; files that it has are linked from there.
        keep_going: record missing and damaged files in the manifest instead of failing.

    Raises:
        BackupError: the folder is not empty; or a file is missing or damaged.
    """
    if previous:
        read_manifest(previous)
    _prepare(folder)
    made_at = timezone.now()
    with snapshot():
        migrations = applied_migrations()
        tables = [write_table(model, folder) for model in backed_up_models()]
        count, size = _list_files(folder)
    damaged = [
        name
        for name, checksum, _ in listed_files(folder)
        if not _copy(name, checksum, folder, link=link, previous=previous)
    ]
    if damaged and not keep_going:
        raise BackupError(
            f"{len(damaged)} files are missing or damaged, such as {damaged[0]}, so the backup is "
            "incomplete. `check_files` lists them; `backup --keep-going` backs up the rest."
        )
    manifest = Manifest(
        version=settings.VERSION,
        made_at=made_at.isoformat(),
        database=connection.vendor,
        migrations=migrations,
        tables=sorted(tables, key=lambda table: table.model),
        files=count,
        bytes=size,
        files_sha256=sha256_of(files_list(folder)),
        damaged=damaged,
    )
    manifest.write(folder)
    return manifest


def _prepare(folder: Path) -> None:
    # It has password hashes and everyone's files: only the user who makes it may read it.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty. Choose a new folder for each backup.")
    folder.chmod(0o700)
    for name in ("rows", "files"):
        (folder / name).mkdir(mode=0o700)


def _list_files(folder: Path) -> tuple[int, int]:
    """Write the list of files that rows name; return their number and their bytes in total."""
    count = total = 0
    with files_list(folder).open("xb") as file:
        for model in MODELS:
            if model._meta.label_lower in EXCLUDED_MODELS:
                continue
            for _, name, checksum, size in named_files(model):
                file.write(orjson.dumps([name, checksum, size]) + b"\n")
                count, total = count + 1, total + size
    return count, total


def listed_files(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Yield (name, sha256, bytes) of the backup's files."""
    with files_list(folder).open("rb") as file:
        for line in file:
            name, checksum, size = orjson.loads(line)
            yield name, checksum, size


def _copy(name: str, checksum: str, folder: Path, *, link: bool, previous: Path | None) -> bool:
    """Copy or link one file into the backup; return whether its checksum is correct."""
    path = file_path(folder, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if previous and _link(file_path(previous, name), path):
        if sha256_of(path) == checksum:
            return True
        path.unlink()
    with suppress(OSError, SuspiciousOperation):
        linked = link and _link(_stored_path(name), path)
        if (sha256_of(path) if linked else _download(name, path)) == checksum:
            return True
    path.unlink(missing_ok=True)
    return False


def _stored_path(name: str) -> Path | None:
    """Return the path of a stored file; None if the storage is no folder."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


def _link(source: Path | None, path: Path) -> bool:
    """Make `path` a hard link to `source`; return whether that was possible."""
    if source is None:
        return False
    try:
        os.link(source, path)
    except OSError:  # on another disk, or missing
        return False
    return True


def _download(name: str, path: Path) -> str:
    """Copy a file from the storage to `path`; return its sha256.

    Raises:
        BackupError: the copy cannot be written.
        OSError: the storage cannot be read.
    """
    digest = hashlib.sha256()
    with default_storage.open(name) as source, path.open("xb") as target:
        path.chmod(0o600)
        while data := source.read(CHUNK):
            digest.update(data)
            try:
                target.write(data)
            except OSError as error:
                raise BackupError(f"{path} cannot be written: {error}") from error
    return digest.hexdigest()
