"""Do rows and stored files agree? Every file that a row names, and every file that none names."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from .common.fields import AssetFileField
from .datasets.folders import folder_digest
from .datasets.models import DataSample, Dataset
from .functions.models import Function
from .outputs.models import FailureReport, Model

MODELS: tuple[type[models.Model], ...] = (Dataset, DataSample, Function, Model, FailureReport)
CHUNK = 1024 * 1024
# Where uploads in progress may be: files that are younger are nobody's orphans yet.
GRACE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with one file."""

    what: str
    kind: str
    name: str
    key: str = ""

    def __str__(self) -> str:
        return f"{self.what:<9} {self.kind} {self.key} {self.name}".replace("  ", " ")


def named_files(model: type[models.Model]) -> Iterator[tuple[str, str, str, int]]:
    """Yield (key, name, checksum, size) of every file that rows of `model` name."""
    for field in model._meta.concrete_fields:
        if isinstance(field, AssetFileField):
            # A data sample is its one file, so its columns do not repeat the file's name.
            prefix = "" if model is DataSample else f"{field.name}_"
            columns = ("pk", field.name, f"{prefix}checksum", f"{prefix}size")
            rows = model._default_manager.exclude(**{field.name: ""}).order_by("pk")
            for key, name, checksum, size in rows.values_list(*columns).iterator(chunk_size=1000):
                yield str(key), name, checksum, size


def check_named(model: type[models.Model], *, fast: bool) -> Iterator[Finding | None]:
    """Yield, for each file that rows name, what is wrong with it, or None."""
    kind = str(model._meta.verbose_name)
    for key, name, checksum, size in named_files(model):
        yield _check_stored(kind, key, name, checksum, size, fast=fast)
    if model is DataSample:
        folders = DataSample.objects.exclude(path="").order_by("pk")
        for sample in folders.iterator(chunk_size=1000):
            yield _check_folder(kind, sample, fast=fast)


def _check_stored(
    kind: str, key: str, name: str, checksum: str, size: int, *, fast: bool
) -> Finding | None:
    if not default_storage.exists(name):
        return Finding("missing", kind, name, key)
    if default_storage.size(name) != size or (not fast and _checksum(name) != checksum):
        return Finding("mismatch", kind, name, key)
    return None


def _checksum(name: str) -> str:
    digest = hashlib.sha256()
    with default_storage.open(name) as file:
        while data := file.read(CHUNK):
            digest.update(data)
    return digest.hexdigest()


def _check_folder(kind: str, sample: DataSample, *, fast: bool) -> Finding | None:
    folder = Path(sample.path)
    if not folder.is_dir():
        return Finding("missing", kind, sample.path, str(sample.key))
    if not fast and folder_digest(folder)[0] != sample.checksum:
        return Finding("mismatch", kind, sample.path, str(sample.key))
    return None


def orphans() -> Iterator[Finding]:
    """Yield the stored files that no row names; folder by folder."""
    for files in _files_by_folder(""):
        known = _known(files)
        yield from (Finding("orphan", "file", name) for name in files if name not in known)


def _files_by_folder(folder: str) -> Iterator[list[str]]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:  # nothing was ever stored
        return
    yield [f"{folder}/{name}".lstrip("/") for name in sorted(files)]
    for child in sorted(folders):
        yield from _files_by_folder(f"{folder}/{child}".lstrip("/"))


def _known(names: list[str]) -> set[str]:
    known: set[str] = set()
    for model in MODELS:
        for field in model._meta.concrete_fields:
            if isinstance(field, AssetFileField):
                rows = model._default_manager.filter(**{f"{field.name}__any": names})
                known.update(rows.values_list(field.name, flat=True))
    return known


def remove_orphan(name: str) -> bool:
    """Delete an orphan; leave one so young that its registration may not have ended."""
    if default_storage.get_modified_time(name) > timezone.now() - GRACE:
        return False
    default_storage.delete(name)
    return True
