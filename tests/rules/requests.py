"""What is asked of an interface, beside the specs themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from assets.common.db.models import Asset
from assets.compute.specs import ComputePlanSpec, TaskSpec
from assets.datasets.specs import DataSampleSpec, DatasetSpec
from assets.functions.specs import FunctionSpec


@dataclass(frozen=True)
class Tasks:
    """Register a batch of tasks of one plan."""

    specs: Sequence[TaskSpec]


@dataclass(frozen=True)
class Rename:
    """Give a dataset, function or compute plan another name."""

    asset: Asset
    name: str


@dataclass(frozen=True)
class Link:
    """Link every one of the samples with every one of the datasets."""

    dataset_keys: Sequence[UUID]
    sample_keys: Sequence[UUID]


@dataclass(frozen=True)
class Cancel:
    """Cancel a compute plan."""

    plan_key: UUID


Request = (
    DatasetSpec | DataSampleSpec | FunctionSpec | ComputePlanSpec | Tasks | Rename | Link | Cancel
)
