"""What makes a dataset and its samples legal: pure checks, no query. Source: contract 3.1, 3.4."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

from ..common.archives import inspect
from ..common.errors import Code, Problem
from ..common.kinds import AssetKind
from ..common.rules import check_metadata, check_name, check_text
from ..common.storage import check_upload
from .specs import DataSampleSpec, DatasetSpec

DATASET = AssetKind.DATA_MANAGER.word
DATA_SAMPLE = AssetKind.DATA_SAMPLE.word


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
        problems = list(check_upload(archive, asset=DATA_SAMPLE, field=name))
        yield from problems or inspect(archive, asset=DATA_SAMPLE, field=name)[1]


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
    """A folder below the organisation's root, that exists, is no link and is not empty."""
    if path.is_symlink():
        message = "is a symbolic link. Give the folder itself."
    elif not path.resolve().is_relative_to(root) or path.resolve() == root:
        message = f"is not below your organisation's folder {root} on the server."
    elif not path.is_dir():
        message = "is not a folder on the server."
    elif not any(path.iterdir()):
        message = "is an empty folder. Put the sample's files in it."
    else:
        return
    yield Problem(Code.INVALID, f"{path} {message}", "path", DATA_SAMPLE)
