"""The only writer of data samples and of the links between them and datasets."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ...accounts.models import User
from ...common.db import bulk
from ...common.errors import Code, Problem, not_found, refuse, refuse_if
from ...common.files.archives.check import archive_suffix
from ...common.files.batch import FileBatch, file_batch
from ...common.files.digest import folder_digest
from ...common.kinds import AssetKind
from ...common.rules import unprintable
from ...feed.models import Event
from ...feed.registration import record
from ...permissions.access import check_may_change, check_may_register
from .. import folders, rules
from ..folders import organization_root, sample_folders
from ..models import DataSample, DataSampleLink, Dataset
from ..specs import DataSampleSpec
from .looks import have_looked_at


def check_data_samples(
    spec: DataSampleSpec, actor: User, *, upcoming: Collection[UUID] = ()
) -> list[Problem]:
    """Return every problem with registering the samples; writes nothing.

    Args:
        upcoming: keys of datasets that the actor will have registered by then.
    """
    if problems := list(check_may_register(actor)):
        return problems
    root = organization_root(actor.acts_for)
    keys = [key for key in spec.data_manager_keys if key not in upcoming]
    return [
        *_check_datasets(keys, actor, unknown=Code.BAD_REQUEST),
        *rules.check_data_sample_values(spec),
        *(
            problem
            for folder in sample_folders(spec.paths, root, multiple=spec.multiple)
            for problem in rules.check_folder(folder, root)
        ),
        *_check_new_at_runner(spec.runner_paths, actor.acts_for),
    ]


def _check_new_at_runner(paths: Collection[PurePosixPath], owner: str) -> Iterator[Problem]:
    """Yield a problem for each path that has a data sample: its content could be counted twice."""
    # The database cannot be asked for the others, which the rules refuse.
    texts = [text for text in map(str, paths) if not unprintable(text)]
    if not texts:
        return
    rows = DataSample.objects.filter(owner=owner, at_runner=True, path__any=texts)
    for path, key in rows.order_by("path").values_list("path", "key"):
        yield rules.already_at_runner(path, key)


def _check_datasets(keys: Collection[UUID], actor: User, *, unknown: Code) -> Iterator[Problem]:
    datasets = Dataset.objects.filter(pk__any=keys).only("owner_id").in_bulk()
    for key in keys:
        if key not in datasets:
            problem = not_found(rules.DATASET, key)
            yield Problem(unknown, problem.message, "data_manager_keys", key=str(key))
        else:
            yield from check_may_change(actor, datasets[key], rules.OWNER_ADDS_SAMPLES)


def register_data_samples(
    spec: DataSampleSpec, actor: User, *, keys: Mapping[str, UUID] | None = None
) -> list[DataSample]:
    """Register one sample for each archive or folder and return them in that order, all or none.

    The runners of the organisation look at folders below their data root afterwards.

    Args:
        keys: keys of samples by the names of their archives, or their paths at runners; by default
            new ones.

    Raises:
        Refused: `check_data_samples` finds a problem, or a folder cannot be read.
    """
    refuse_if(check_data_samples(spec, actor))
    with file_batch("data_samples") as files:
        contents = [
            *_uploaded(spec.archives, keys or {}, files),
            *_in_place(spec, organization_root(actor.acts_for)),
            *_at_runner(spec.runner_paths, keys or {}),
        ]
        now = timezone.now()
        same = {"owner_id": actor.acts_for, "creation_date": now}
        names = {row["key"]: "" for row in contents}
        with _one_path_once(spec, actor), files.commit():
            bulk.insert(DataSample, contents, same=same)
            have_looked_at([row["key"] for row in contents if row["at_runner"]], actor.acts_for)
            _link(names, spec.data_manager_keys)
            record(actor, Event.Action.REGISTERED, AssetKind.DATA_SAMPLE, names, when=now)
    return [DataSample(**same, **content) for content in contents]


def left_out(spec: DataSampleSpec, actor: User) -> list[Path]:
    """Return the hidden files and folders in the spec's folders that are not registered."""
    root = organization_root(actor.acts_for)
    return folders.left_out(spec.paths, root, multiple=spec.multiple)


@contextmanager
def _one_path_once(spec: DataSampleSpec, actor: User) -> Iterator[None]:
    """Refuse what another request has registered since the check, instead of failing."""
    try:
        yield
    except IntegrityError:
        refuse_if(_check_new_at_runner(spec.runner_paths, actor.acts_for))
        raise


def _content(
    key: UUID,
    *,
    archive: str = "",
    path: str = "",
    at_runner: bool = False,
    checksum: str = "",
    size: int = 0,
) -> bulk.Row:
    return {
        "key": key,
        "archive": archive,
        "path": path,
        "at_runner": at_runner,
        "checksum": checksum,
        "size": size,
    }


def _uploaded(
    archives: Mapping[str, File], keys: Mapping[str, UUID], files: FileBatch
) -> Iterator[bulk.Row]:
    for name, archive in archives.items():
        key = keys.get(name) or uuid.uuid4()
        stored = files.save(f"{key}{archive_suffix(archive)}", archive)
        yield _content(key, archive=stored.name, checksum=stored.checksum, size=stored.size)


def _in_place(spec: DataSampleSpec, root: Path) -> Iterator[bulk.Row]:
    for folder in sample_folders(spec.paths, root, multiple=spec.multiple):
        try:
            checksum, size = folder_digest(folder)
        except OSError as error:
            raise refuse(
                Code.INVALID,
                _("%(path)s cannot be read: %(reason)s.")
                % {"path": rules.printable(folder), "reason": error.strerror},
                field="path",
                asset=rules.DATA_SAMPLE,
            ) from error
        yield _content(uuid.uuid4(), path=str(folder), checksum=checksum, size=size)


def _at_runner(paths: Iterable[PurePosixPath], keys: Mapping[str, UUID]) -> Iterator[bulk.Row]:
    for path in map(str, paths):
        yield _content(keys.get(path) or uuid.uuid4(), path=path, at_runner=True)


def _link(sample_keys: Iterable[UUID], dataset_keys: Collection[UUID]) -> None:
    bulk.insert(
        DataSampleLink,
        [
            {"data_sample_id": sample_key, "dataset_id": dataset_key}
            for sample_key in sample_keys
            for dataset_key in dataset_keys
        ],
        ignore_conflicts=True,
    )


def check_link(
    dataset_keys: Collection[UUID], sample_keys: Collection[UUID], actor: User
) -> Iterator[Problem]:
    """Yield every problem with adding each of the samples to each of the datasets."""
    if not sample_keys or not dataset_keys:
        field = "data_manager_keys" if sample_keys else "data_sample_keys"
        message = _("missing or empty field '%(field)s'.") % {"field": field}
        yield Problem(Code.INVALID, message, field, rules.DATA_SAMPLE)
        return
    yield from _check_datasets(dataset_keys, actor, unknown=Code.NOT_FOUND)
    samples = DataSample.objects.filter(pk__any=list(sample_keys)).only("owner_id").in_bulk()
    for key in sample_keys:
        if key not in samples:
            yield not_found(rules.DATA_SAMPLE, key)
        else:
            yield from check_may_change(actor, samples[key], rules.OWNER_LINKS)


@transaction.atomic
def link_data_samples(
    dataset_keys: Collection[UUID], sample_keys: Collection[UUID], actor: User
) -> None:
    """Add each sample to each dataset; existing links stay.

    Raises:
        Refused: `check_link` finds a problem, or the actor may not register.
    """
    problems = list(check_may_register(actor)) or list(check_link(dataset_keys, sample_keys, actor))
    refuse_if(problems)
    # Sorted, or two requests could wait for each other's links.
    _link(sorted(sample_keys), sorted(dataset_keys))
    record(
        actor,
        Event.Action.LINKED,
        AssetKind.DATA_SAMPLE,
        dict.fromkeys(sample_keys, ""),
        when=timezone.now(),
        detail={"data_manager_keys": [str(key) for key in dataset_keys]},
    )
