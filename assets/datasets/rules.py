"""What makes a dataset and its samples legal: pure checks, no query. Source: contract 3.1, 3.4."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from django.core.files.base import File

from ..common.errors import Code, Problem
from ..common.files.archives.check import inspect, mark_passed, passed_check
from ..common.files.archives.preview import preview_archive
from ..common.files.hidden import hidden_advice, is_hidden, some_of
from ..common.files.storage import check_upload
from ..common.kinds import AssetKind
from ..common.rules import check_metadata, check_name, check_text
from .specs import DataSampleSpec, DatasetSpec

DATASET = AssetKind.DATA_MANAGER.word
DATA_SAMPLE = AssetKind.DATA_SAMPLE.word
MAX_PATH_LENGTH = 1024  # of the model's column
_ARCHIVE_RULE = "data sample 3"


def check_dataset_values(spec: DatasetSpec) -> Iterator[Problem]:
    """Name, type, metadata and the two files."""
    yield from check_name(spec.name, asset=DATASET)
    yield from check_text(spec.type, asset=DATASET, field="type")
    yield from check_metadata(spec.metadata, asset=DATASET)
    yield from check_upload(spec.data_opener, asset=DATASET, field="data_opener")
    yield from check_upload(spec.description, asset=DATASET, field="description")


def check_data_sample_values(spec: DataSampleSpec) -> Iterator[Problem]:
    """Archives or folders, not both and not neither; datasets named once each."""
    yield from _check_dataset_keys(spec.data_manager_keys)
    if bool(spec.archives) == bool(spec.paths):
        what = "both were given" if spec.archives else "nothing was given"
        yield Problem(
            Code.INVALID,
            f"give either files to upload or server-side paths; {what}.",
            "path",
            DATA_SAMPLE,
        )
    for name, archive in spec.archives.items():
        yield from check_archive(archive, field=name)


def check_archive(archive: File | None, *, field: str) -> Iterator[Problem]:
    """A file that may be uploaded, and an archive that can be read and holds something."""
    problems = list(check_upload(archive, asset=DATA_SAMPLE, field=field))
    if archive is not None and not problems and passed_check(archive) != _ARCHIVE_RULE:
        problems = inspect(archive, asset=DATA_SAMPLE, field=field)[1]
        if not problems:
            mark_passed(archive, _ARCHIVE_RULE)
    yield from problems


def archive_advice(file: File) -> list[str]:
    """Return what its user should know of a legal archive before it is registered for good."""
    seen = preview_archive(file, any_zip=True)
    file.seek(0)
    return [*seen.warnings, *hidden_advice(entry.name for entry in seen.files)]


def _check_dataset_keys(keys: Sequence[UUID]) -> Iterator[Problem]:
    field = "data_manager_keys"
    if not keys:
        yield Problem(
            Code.BAD_REQUEST,
            f"missing or empty field '{field}'. Name at least one dataset of your organisation.",
            field,
        )
    for key, times in Counter(keys).items():
        if times > 1:
            yield Problem(
                Code.INVALID, f'dataset "{key}" is named {times} times.', field, DATA_SAMPLE
            )


def check_folder(path: Path, root: Path) -> Iterator[Problem]:
    """A folder below the organisation's root, reached without links, that exists and is not empty.

    Where it lies comes first: nothing is told about what is elsewhere on the server.
    """
    if path == root or not path.is_relative_to(root):
        message = f"is not below your organisation's folder {root} on the server."
    # Not pathlib's tests, which raise for what no file can be called.
    elif any(os.path.islink(step) for step in (path, *path.parents)):  # noqa: PTH114
        message = "is a symbolic link, or lies behind one. Give the folder itself."
    elif not os.path.isdir(path):  # noqa: PTH112
        message = "is not a folder on the server."
    elif len(str(path)) > MAX_PATH_LENGTH:
        message = f"is too long: {len(str(path))} characters, at most {MAX_PATH_LENGTH}."
    elif shown(path) != str(path):
        message = "has a name that is not UTF-8. Rename the folder."
    else:
        message = _why_not_filled(path)
    if message:
        yield Problem(Code.INVALID, f"{shown(path)} {message}", "path", DATA_SAMPLE)


def _why_not_filled(path: Path) -> str:
    try:
        names = [child.name for child in path.iterdir()]
    except OSError as error:
        return f"cannot be read: {error.strerror}."
    if names and all(map(is_hidden, names)):
        return f"holds nothing but hidden files: {some_of(sorted(names))}. Put the data in it."
    return "" if names else "is an empty folder. Put the sample's files in it."


def shown(path: Path) -> str:
    """The path as it can be told: what is not UTF-8 in it is escaped."""
    return str(path).encode(errors="backslashreplace").decode()
