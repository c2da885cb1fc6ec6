"""The only writer of datasets, data samples, the links between them and lists of samples."""

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from uuid import UUID

import orjson
from django.core.files.base import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ..accounts.models import User
from ..accounts.queries import organization_ids_to_check
from ..common.asset_keys import AssetKeys
from ..common.db import bulk
from ..common.errors import Code, Problem, not_found, refuse, refuse_if
from ..common.files.archives.check import archive_suffix
from ..common.files.batch import FileBatch, file_batch
from ..common.files.digest import folder_digest
from ..common.kinds import AssetKind
from ..feed.models import Event
from ..feed.registration import record
from ..permissions.access import check_may_change, check_may_register
from ..permissions.registration import intern_permissions
from ..permissions.rules import check_permissions
from . import folders, rules
from .folders import organization_root, sample_folders
from .models import DataSample, DataSampleLink, Dataset, SampleSet, SampleSetMember
from .specs import DataSampleSpec, DatasetSpec


def check_dataset(spec: DatasetSpec, actor: User) -> list[Problem]:
    """Return every problem with registering the dataset; writes nothing."""
    if problems := list(check_may_register(actor)):
        return problems
    may_use, may_read_logs = spec.permissions, spec.logs_permission
    named = (*may_use.authorized_ids, *may_read_logs.authorized_ids)
    known = organization_ids_to_check(named, actor.acts_for)
    return [
        *rules.check_dataset_values(spec),
        *check_permissions(may_use, known),
        *check_permissions(may_read_logs, known, field="logs_permission"),
    ]


def register_dataset(spec: DatasetSpec, actor: User, *, key: UUID | None = None) -> Dataset:
    """Register a dataset for the actor's organisation and return it.

    Args:
        key: by default a new one.

    Raises:
        Refused: `check_dataset` finds a problem.
        IntegrityError: there is a dataset with this key.
    """
    refuse_if(check_dataset(spec, actor))
    assert spec.data_opener is not None and spec.description is not None  # noqa: S101, PT018
    owner = actor.acts_for
    with file_batch("datasets") as files:
        opener = files.save("opener.py", spec.data_opener)
        description = files.save("description.md", spec.description)
        with files.commit():
            may_use = spec.permissions.owned_by(owner)
            may_read_logs = spec.logs_permission.owned_by(owner)
            ids = intern_permissions([may_use, may_read_logs])
            dataset = Dataset(
                key=key or files.key,
                owner_id=owner,
                name=spec.name,
                type=spec.type,
                metadata=dict(spec.metadata),
                permissions_id=ids[may_use],
                logs_permission_id=ids[may_read_logs],
                opener=opener.name,
                opener_checksum=opener.checksum,
                opener_size=opener.size,
                description=description.name,
                description_checksum=description.checksum,
                description_size=description.size,
            )
            bulk.insert_one(dataset)
            record(
                actor,
                Event.Action.REGISTERED,
                AssetKind.DATA_MANAGER,
                {dataset.key: dataset.name},
                when=dataset.creation_date,
            )
    return dataset


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
    ]


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

    Args:
        keys: keys of samples by the names of their archives; by default new ones.

    Raises:
        Refused: `check_data_samples` finds a problem, or a folder cannot be read.
    """
    refuse_if(check_data_samples(spec, actor))
    with file_batch("data_samples") as files:
        contents = [
            *_uploaded(spec.archives, keys or {}, files),
            *_in_place(spec, organization_root(actor.acts_for)),
        ]
        now = timezone.now()
        same = {"owner_id": actor.acts_for, "creation_date": now}
        names = {row["key"]: "" for row in contents}
        with files.commit():
            bulk.insert(DataSample, contents, same=same)
            _link(names, spec.data_manager_keys)
            record(actor, Event.Action.REGISTERED, AssetKind.DATA_SAMPLE, names, when=now)
    return [DataSample(**same, **content) for content in contents]


def left_out(spec: DataSampleSpec, actor: User) -> list[Path]:
    """Return the hidden files and folders in the spec's folders that are not registered."""
    root = organization_root(actor.acts_for)
    return folders.left_out(spec.paths, root, multiple=spec.multiple)


def _content(key: UUID, *, archive: str = "", path: str = "", checksum: str, size: int) -> bulk.Row:
    return {"key": key, "archive": archive, "path": path, "checksum": checksum, "size": size}


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


def intern_sample_sets(values: Collection[AssetKeys]) -> dict[AssetKeys, int]:
    """Return the id of the row of each distinct list of data samples; insert the missing ones.

    The number of queries is constant. Two transactions may intern the same list at once. It does
    not check who may use the samples.
    """
    if not values:
        return {}
    by_digest = {keys.digest: keys for keys in values}
    ids = _sample_set_ids(by_digest)
    # The same order in all transactions, so that none deadlocks.
    missing = {digest: by_digest[digest] for digest in sorted(by_digest.keys() - ids.keys())}
    if missing:
        ids |= _insert_sample_sets(missing)
    if lost := missing.keys() - ids.keys():
        # Another transaction inserted these meanwhile.
        ids |= _sample_set_ids(lost)
    return {keys: ids[digest] for digest, keys in by_digest.items()}


def _sample_set_ids(digests: Collection[str]) -> dict[str, int]:
    rows = SampleSet.objects.filter(digest__any=list(digests))
    return dict(rows.values_list("digest", "pk"))


def _insert_sample_sets(values: Mapping[str, AssetKeys]) -> dict[str, int]:
    """Insert lists by their digests; return the ids of those that no one else has inserted."""
    rows = [
        {"keys": orjson.Fragment(keys.json), "count": len(keys), "digest": digest}
        for digest, keys in values.items()
    ]
    ids = dict(bulk.insert(SampleSet, rows, ignore_conflicts=True, returning=("digest", "id")))
    members = [
        {"sample_set_id": pk, "data_sample_id": key}
        for digest, pk in ids.items()
        for key in dict.fromkeys(values[digest])
    ]
    bulk.insert(SampleSetMember, members)
    return ids
