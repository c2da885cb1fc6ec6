"""Restores a backup into an empty instance: all of it, or nothing."""

from io import TextIOBase
from pathlib import Path

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import File
from django.db import connection

from ..common.files.batch import FileBatch, file_batch
from ..common.files.pending import Names, PendingFiles
from ..integrity import stored_checksum, stored_files, tidy_up
from .making import listed_files
from .manifest import (
    BackupError,
    Manifest,
    file_path,
    files_list,
    read_manifest,
    rows_path,
    sha256_of,
)
from .rows import backed_up_models, read_tables, reset_sequences
from .upgrading import is_of_earlier_version, upgraded


def restore_backup(folder: Path, out: TextIOBase) -> Manifest:
    """Restore the backup in `folder` into this empty, migrated instance; return its manifest.

    Everything is read back and compared before the commit of rows and files. A backup of an earlier
    version is upgraded before. Progress is written to `out`.

    Raises:
        BackupError: the backup is incomplete, of a later version, or the instance is not empty.
    """
    manifest = read_manifest(folder)
    is_earlier = is_of_earlier_version(manifest)
    _check_backup(manifest, folder)
    tidy_up()
    _check_empty()
    if is_earlier:
        with upgraded(manifest, folder, out) as (rows, rows_folder):
            _restore(rows, rows_folder, folder, out)
    else:
        _restore(manifest, folder, folder, out)
    ContentType.objects.clear_cache()
    return manifest


def _restore(manifest: Manifest, rows_folder: Path, folder: Path, out: TextIOBase) -> None:
    """Restore rows of this version, and the files of the backup in `folder`."""
    names = Names([name for name, _, _ in listed_files(folder)])
    with file_batch(names) as files, files.commit():
        # Once more inside the transaction, so that nothing is registered meanwhile.
        _check_empty()
        for table in manifest.tables:
            _clear_table(table.model)
        out.write("Restoring rows\n")
        read_tables(manifest, backed_up_models(), rows_folder, out)
        connection.check_constraints()
        reset_sequences()
        out.write(f"Restoring {manifest.files} files\n")
        _restore_files(files, manifest, folder)


def _check_backup(manifest: Manifest, folder: Path) -> None:
    """Check that the backup is complete.

    Raises:
        BackupError: it is not.
    """
    parts = {rows_path(folder, table.model): table.sha256 for table in manifest.tables}
    parts[files_list(folder)] = manifest.files_sha256
    for path, checksum in parts.items():
        if not path.is_file() or sha256_of(path) != checksum:
            raise BackupError(f"{path} is missing or has changed since the backup was made.")
    count = total = 0
    damaged = set(manifest.damaged)
    for name, _, size in listed_files(folder):
        path = file_path(folder, name)
        if name not in damaged and (not path.is_file() or path.stat().st_size != size):
            raise BackupError(f"{path} is missing or has changed since the backup was made.")
        count, total = count + 1, total + size
    if (count, total) != (manifest.files, manifest.bytes):
        raise BackupError("The list of files does not agree with the manifest of the backup.")


def _check_empty() -> None:
    """Check that this instance has no rows and no files.

    Raises:
        BackupError: it has.
    """
    for model in apps.get_app_config("assets").get_models(include_auto_created=True):
        # This restore has announced its own files.
        if model is not PendingFiles and model._base_manager.exists():
            raise BackupError(
                f"The database has {model._meta.verbose_name_plural} already. Restore the backup "
                "into an empty, migrated database."
            )
    if name := next(stored_files(), None):
        raise BackupError(
            f"The storage has files already, such as {name}. Restore the backup into an empty "
            "storage."
        )


def _clear_table(label: str) -> None:
    """Delete rows that migrations have inserted into Django's tables: the backup has its own."""
    model = apps.get_model(label)
    if model._meta.app_label != "assets":
        rows = model._base_manager.all()
        rows._raw_delete(rows.db)


def _restore_files(files: FileBatch, manifest: Manifest, folder: Path) -> None:
    damaged = set(manifest.damaged)
    for name, checksum, _ in listed_files(folder):
        if name in damaged:
            continue
        with file_path(folder, name).open("rb") as source:
            stored = files.save(name, File(source))
        if stored.checksum != checksum:
            raise BackupError(f"{name} has changed since the backup was made.")
        if stored_checksum(name) != checksum:
            raise BackupError(f"The storage returns {name} with other content than was written.")
