"""What lists and pages ask about datasets and data samples."""

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from .models import DataSampleLink


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
