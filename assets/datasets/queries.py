"""Queries about datasets and data samples for responses, lists and pages."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet

from ..common.db.aggregates import counts_by, related_model, related_rows
from ..common.db.compiled import Instances, Rows, key_text, stored_json
from ..common.db.nested import JSONRows, JSONText
from ..common.text.moments import utc_day
from ..permissions.queries import permission_columns
from .models import DataSample, DataSampleLink, Dataset, SampleSet, SampleSetMember
from .specs import DatasetSpec

_DATASET = (
    *(key_text("key"), "name", "owner_id", "creation_date", stored_json("metadata"), "type"),
    *("opener_checksum", "description_checksum"),
    *permission_columns("permissions"),
    *permission_columns("logs_permission"),
)
# The oldest first.
_SAMPLE_KEYS = JSONRows(
    DataSampleLink.objects.filter(dataset_id=OuterRef("pk")).order_by(
        "data_sample__creation_date", "data_sample_id"
    ),
    JSONText("?", "data_sample_id"),
)
# In the order of linking.
_DATASET_KEYS = JSONRows(
    DataSampleLink.objects.filter(data_sample_id=OuterRef("pk")).order_by("pk"),
    JSONText("?", "dataset_id"),
)


# The columns of each dataset in a response.
dataset_rows_without_samples = Rows(Dataset, *_DATASET)
dataset_rows = Rows(Dataset, *_DATASET, _SAMPLE_KEYS)
# The columns of each data sample in a response.
sample_rows = Rows(DataSample, key_text("key"), "owner_id", "creation_date", _DATASET_KEYS)


def dataset_keys_of(sample_keys: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return each sample's dataset keys, in the order of linking; one query."""
    links = DataSampleLink.objects.filter(data_sample_id__any=sample_keys).order_by("pk")
    found: dict[UUID, list[UUID]] = {key: [] for key in sample_keys}
    for sample, dataset in links.values_list("data_sample_id", "dataset_id"):
        found[sample].append(dataset)
    return found


def sample_notes(samples: Sequence[DataSample]) -> dict[UUID, str]:
    """Return a note for each sample: the dataset it was added to first, and the day; one query.

    Samples have no names, so pickers show this beside their keys.
    """
    links = DataSampleLink.objects.filter(data_sample_id__any=[row.pk for row in samples])
    names: dict[UUID, str] = {}
    for key, name in links.order_by("pk").values_list("data_sample_id", "dataset__name"):
        names.setdefault(key, name)
    return {row.pk: f"{names.get(row.pk, '')}, {utc_day(row.creation_date)}" for row in samples}


def sample_counts_of(dataset_keys: Collection[UUID], limit: int | None = None) -> dict[UUID, int]:
    """Return how many samples each dataset has; one query."""
    return counts_by(DataSampleLink, "dataset_id", dataset_keys, limit)


def dataset_counts_of(sample_keys: Collection[UUID], limit: int | None = None) -> dict[UUID, int]:
    """Return how many datasets each sample belongs to; one query."""
    return counts_by(DataSampleLink, "data_sample_id", sample_keys, limit)


def task_counts_of_datasets(
    dataset_keys: Collection[UUID], limit: int | None = None
) -> dict[UUID, int]:
    """Return how many tasks work on each dataset; one query."""
    return counts_by(related_model(Dataset, "task_inputs"), "dataset_id", dataset_keys, limit)


def task_counts_of_samples(
    sample_keys: Collection[UUID], limit: int | None = None
) -> dict[UUID, int]:
    """Return how many tasks work on each data sample; one query."""
    inputs = related_model(SampleSet, "task_inputs")
    return counts_by(inputs, "sample_set__members__data_sample_id", sample_keys, limit)


@Instances
def samples_in(dataset_keys: Collection[UUID]) -> QuerySet[DataSample]:
    """Return the data samples of a dataset, the newest first."""
    samples = DataSample.objects.filter(links__dataset_id__only=dataset_keys)
    return samples.select_related("found").order_by("-creation_date", "-pk")


@Instances
def datasets_with(sample_keys: Collection[UUID]) -> QuerySet[Dataset]:
    """Return the datasets that a data sample belongs to, the newest first."""
    datasets = Dataset.objects.filter(links__data_sample_id__only=sample_keys)
    return datasets.order_by("-creation_date", "-pk")


@Instances
def tasks_using_dataset(keys: Collection[UUID]) -> QuerySet:
    """Return the tasks that take a dataset as an input, the newest first."""
    return _tasks_of(related_rows(Dataset, "task_inputs").filter(dataset_id__only=keys))


@Instances
def tasks_using_sample(keys: Collection[UUID]) -> QuerySet:
    """Return the tasks that take a data sample as an input, the newest first."""
    lists = SampleSetMember.objects.filter(data_sample_id__only=keys).values("sample_set")
    return _tasks_of(related_rows(SampleSet, "task_inputs").filter(sample_set__in=lists))


def _tasks_of(inputs: Any) -> QuerySet:
    tasks = inputs.model._meta.get_field("task").related_model._default_manager
    found = tasks.filter(pk__in=inputs.order_by().values("task"))
    return found.select_related("function", "compute_plan").order_by("-creation_date", "-pk")


def spec_of(dataset: Dataset) -> DatasetSpec:
    """Return the spec that a dataset was registered with, without its files."""
    return DatasetSpec(
        name=dataset.name,
        type=dataset.type,
        data_opener=None,
        description=None,
        permissions=dataset.permissions.value,
        logs_permission=dataset.logs_permission.value,
        metadata=dataset.metadata,
    )
