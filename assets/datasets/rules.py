"""Rules of datasets and data samples: pure checks without queries. Source: contract 3.1, 3.4."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from django.core.files.base import File
from django.utils.translation import gettext as _, gettext_lazy

from ..common.errors import Code, Problem
from ..common.files.archives.check import inspect, mark_passed, passed_check
from ..common.files.archives.names import UnsafeArchive, plain_path
from ..common.files.archives.preview import preview_archive
from ..common.files.hidden import hidden_advice, is_hidden, some_of
from ..common.files.storage import check_upload
from ..common.kinds import AssetKind
from ..common.rules import check_metadata, check_name, check_text, unprintable
from .specs import DataSampleSpec, DatasetSpec

DATASET = AssetKind.DATA_MANAGER.word
DATA_SAMPLE = AssetKind.DATA_SAMPLE.word
MAX_PATH_LENGTH = 1024  # of the column in the model
_ARCHIVE_RULE = "data sample 3"
OWNER_ADDS_SAMPLES = gettext_lazy(
    "only its owner %(owner)s may add data samples to this dataset; you act for %(own)s."
)
OWNER_LINKS = gettext_lazy(
    "only its owner %(owner)s may link this data sample; you act for %(own)s."
)


def check_dataset_values(spec: DatasetSpec) -> Iterator[Problem]:
    """Yield problems with the name, type, metadata and the two files."""
    yield from check_name(spec.name, asset=DATASET)
    yield from check_text(spec.type, asset=DATASET, field="type")
    yield from check_metadata(spec.metadata, asset=DATASET)
    yield from check_upload(spec.data_opener, asset=DATASET, field="data_opener")
    yield from check_upload(spec.description, asset=DATASET, field="description")


def check_data_sample_values(spec: DataSampleSpec) -> Iterator[Problem]:
    """Yield problems unless there is one kind of source, and each dataset occurs once."""
    yield from _check_dataset_keys(spec.data_manager_keys)
    yield from _check_sources(spec)
    for name, archive in spec.archives.items():
        yield from check_archive(archive, field=name)
    for path, times in Counter(spec.runner_paths).items():
        yield from _check_runner_path(str(path), times)


def _check_sources(spec: DataSampleSpec) -> Iterator[Problem]:
    if spec.runner_paths:
        if spec.archives or spec.paths:
            message = _(
                "cannot be combined with files or with folders on the server. Register them one "
                "after the other."
            )
            yield Problem(Code.INVALID, message, "runner_paths", DATA_SAMPLE)
        elif spec.multiple:
            message = _("the server cannot list folders at a runner. Give the path of each folder.")
            yield Problem(Code.INVALID, message, "multiple", DATA_SAMPLE)
    elif bool(spec.archives) == bool(spec.paths):
        if spec.archives:
            message = _("cannot be combined with files. Give either files or folders.")
        else:
            message = _("cannot be blank unless you upload files. Give either files or folders.")
        yield Problem(Code.INVALID, message, "path", DATA_SAMPLE)


def check_archive(archive: File | None, *, field: str) -> Iterator[Problem]:
    """Yield problems unless the file is a readable, safe archive that is not empty."""
    problems = list(check_upload(archive, asset=DATA_SAMPLE, field=field))
    if archive is not None and not problems and passed_check(archive) != _ARCHIVE_RULE:
        problems = inspect(archive, asset=DATA_SAMPLE, field=field)[1]
        if not problems:
            mark_passed(archive, _ARCHIVE_RULE)
    yield from problems


def archive_advice(file: File) -> list[str]:
    """Return warnings about an archive that breaks no rule, to show before it is registered."""
    seen = preview_archive(file, any_zip=True)
    file.seek(0)
    return [*seen.warnings, *hidden_advice(entry.name for entry in seen.files)]


def _check_dataset_keys(keys: Sequence[UUID]) -> Iterator[Problem]:
    field = "data_manager_keys"
    if not keys:
        message = _("missing or empty field '%(field)s'. Choose a dataset of your organisation.")
        yield Problem(Code.BAD_REQUEST, message % {"field": field}, field)
    for key, times in Counter(keys).items():
        if times > 1:
            message = _('dataset "%(key)s" occurs %(count)d times. Remove the repetitions.')
            values = {"key": key, "count": times}
            yield Problem(Code.INVALID, message % values, field, DATA_SAMPLE)


def check_folder(path: Path, root: Path) -> Iterator[Problem]:
    """Yield a problem unless the folder is below `root`, reached without links, and not empty.

    The place is checked first, so that no one learns what exists elsewhere on the server.
    """
    values: dict[str, Any] = {"path": printable(path), "root": root}
    # Not pathlib's tests, which raise for names that no file can have.
    if path == root or not path.is_relative_to(root):
        message = _("%(path)s is not below your organisation's folder %(root)s on the server.")
    elif any(os.path.islink(step) for step in (path, *path.parents)):  # noqa: PTH114
        message = _("%(path)s is a symbolic link, or is inside one. Enter the folder itself.")
    elif not os.path.isdir(path):  # noqa: PTH112
        message = _("%(path)s is not a folder on the server.")
    elif (length := len(str(path))) > MAX_PATH_LENGTH:
        message = _("%(path)s is too long: %(length)d characters. The limit is %(limit)d.")
        values |= {"length": length, "limit": MAX_PATH_LENGTH}
    elif printable(path) != str(path):
        message = _("%(path)s has a name that is not UTF-8. Rename the folder.")
    else:
        message = _content_message(path, values)
    if message:
        yield Problem(Code.INVALID, message % values, "path", DATA_SAMPLE)


def _content_message(path: Path, values: dict[str, Any]) -> str:
    """Return what is wrong with the content of a folder, blank if nothing, and add its values."""
    try:
        names = [child.name for child in path.iterdir()]
    except OSError as error:
        values["reason"] = error.strerror
        return _("%(path)s cannot be read: %(reason)s.")
    if not names:
        return _("%(path)s is an empty folder. Put the files of the data sample in it.")
    if all(map(is_hidden, names)):
        values["names"] = some_of(sorted(names))
        return _("%(path)s contains only hidden files: %(names)s. Put the data in it.")
    return ""


def _check_runner_path(path: str, times: int) -> Iterator[Problem]:
    """Yield a problem unless the path leads to a folder below a data root, whatever it is."""
    values: dict[str, Any] = {"path": printable(path), "count": times}
    if bad := unprintable(path):
        message = _("%(path)s contains the character %(character)s. Rename the folder.")
        values["character"] = bad
    elif not _is_below_root(path):
        message = _(
            "%(path)s is not below the data root of your runners. Give a relative path such as "
            "visits/patient-1, without '..' and backslashes."
        )
    elif (length := len(path)) > MAX_PATH_LENGTH:
        message = _("%(path)s is too long: %(length)d characters. The limit is %(limit)d.")
        values |= {"length": length, "limit": MAX_PATH_LENGTH}
    elif times > 1:
        message = _("%(path)s occurs %(count)d times. Remove the repetitions.")
    else:
        return
    yield Problem(Code.INVALID, message % values, "runner_paths", DATA_SAMPLE)


def _is_below_root(path: str) -> bool:
    try:
        return plain_path(path) != "."
    except UnsafeArchive:
        return False


def already_at_runner(path: str, key: UUID) -> Problem:
    """Return the problem of a path that a data sample of the organisation has."""
    message = _(
        '%(path)s is registered already, as the data sample "%(key)s". Add that one to your '
        "datasets."
    )
    values = {"path": path, "key": key}
    return Problem(Code.INVALID, message % values, "runner_paths", DATA_SAMPLE, key=str(key))


def printable(path: PurePath | str) -> str:
    """Return the path as text, with escapes for what is not UTF-8."""
    return str(path).encode(errors="backslashreplace").decode()
