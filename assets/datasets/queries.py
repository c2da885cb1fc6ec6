"""What lists and pages ask about datasets and data samples."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from django.apps import apps
from django.db.models import QuerySet

from ..common.queries import counts_by
from .models import DataSample, DataSampleLink, Dataset
from .specs import DatasetSpec


def sample_keys_of(dataset_keys: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return each dataset's sample keys, oldest first; one query."""
    links = DataSampleLink.objects.filter(dataset_id__any=dataset_keys).order_by(
        "data_sample__creation_date", "data_sample_id"
    )
    keys: dict[UUID, list[UUID]] = defaultdict(list)
    for dataset, sample in links.values_list("dataset_id", "data_sample_id"):
        keys[dataset].append(sample)
    return keys


def dataset_keys_of(sample_keys: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return each sample's dataset keys, in the order of linking; one query."""
    links = DataSampleLink.objects.filter(data_sample_id__any=sample_keys).order_by("pk")
    keys: dict[UUID, list[UUID]] = defaultdict(list)
    for sample, dataset in links.values_list("data_sample_id", "dataset_id"):
        keys[sample].append(dataset)
    return keys


def sample_notes(samples: Sequence[DataSample]) -> dict[UUID, str]:
    """Return what tells samples apart, since they have no names: a dataset and the day; one query.

    Of several datasets, the one that a sample was put into first is named.
    """
    links = DataSampleLink.objects.filter(data_sample_id__any=[row.pk for row in samples])
    names: dict[UUID, str] = {}
    for key, name in links.order_by("pk").values_list("data_sample_id", "dataset__name"):
        names.setdefault(key, name)
    return {row.pk: f"{names.get(row.pk, '')}, {row.creation_date:%Y-%m-%d}" for row in samples}


def sample_counts_of(dataset_keys: Collection[UUID]) -> dict[UUID, int]:
    """Return how many samples each dataset has; one query."""
    return counts_by(DataSampleLink.objects.all(), "dataset_id", dataset_keys)


def dataset_counts_of(sample_keys: Collection[UUID]) -> dict[UUID, int]:
    """Return how many datasets each sample belongs to; one query."""
    return counts_by(DataSampleLink.objects.all(), "data_sample_id", sample_keys)


def _inputs() -> QuerySet:
    # The room of tasks stands above this one, so its models are asked for by name.
    return apps.get_model("assets", "TaskInput").objects.all()


def task_counts_of_datasets(dataset_keys: Collection[UUID]) -> dict[UUID, int]:
    """Return how many tasks work on each dataset; one query."""
    return counts_by(_inputs(), "dataset_id", dataset_keys)


def task_counts_of_samples(sample_keys: Collection[UUID]) -> dict[UUID, int]:
    """Return how many tasks work on each data sample; one query."""
    return counts_by(_inputs(), "data_sample_id", sample_keys)


def tasks_using(field: str, key: UUID) -> QuerySet:
    """Return the tasks that take this asset, the newest first; `field` as in TaskInput."""
    used = _inputs().filter(**{field: key}).order_by().values("task")
    tasks = apps.get_model("assets", "Task").objects.filter(pk__in=used)
    return tasks.select_related("function", "compute_plan").order_by("-creation_date", "-pk")


def spec_of(dataset: Dataset) -> DatasetSpec:
    """Return the spec that a dataset was registered by, but for its files."""
    return DatasetSpec(
        name=dataset.name,
        type=dataset.type,
        data_opener=None,
        description=None,
        permissions=dataset.permissions.value,
        logs_permission=dataset.logs_permission.value,
        metadata=dataset.metadata,
    )
