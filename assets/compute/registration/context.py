"""Everything that a batch of tasks refers to, as plain values that the rules can check."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from uuid import UUID

from ...common.asset_keys import AssetKeys
from ...functions.specs import FunctionInputSpec, FunctionOutputSpec
from ...permissions.specs import PermissionsSpec


@dataclass(slots=True)
class FunctionInfo:
    permissions: PermissionsSpec
    status: str
    inputs: dict[str, FunctionInputSpec] = field(default_factory=dict)
    outputs: dict[str, FunctionOutputSpec] = field(default_factory=dict)


@dataclass(slots=True)
class DatasetInfo:
    owner: str
    permissions: PermissionsSpec
    logs_permission: PermissionsSpec


@dataclass(slots=True)
class ModelInfo:
    permissions: PermissionsSpec
    disabled: bool


@dataclass(slots=True)
class TaskInfo:
    """A possible parent: a registered task, or one of the batch."""

    function_key: UUID
    rank: int
    status: str
    logs_permission: PermissionsSpec
    outputs: dict[str, PermissionsSpec]
    disabled_models: list[UUID] = field(default_factory=list)


@dataclass(slots=True)
class BatchContext:
    """What a batch of tasks refers to, by key."""

    organizations: set[str]
    functions: dict[UUID, FunctionInfo]
    tasks: dict[UUID, TaskInfo]
    datasets: dict[UUID, DatasetInfo]
    # The datasets of each data sample.
    samples: dict[UUID, set[UUID]]
    models: dict[UUID, ModelInfo]
    # Whether tasks of a shape match their function: thousands of tasks in a batch share a shape.
    compatible_shapes: dict[Hashable, bool] = field(default_factory=dict, compare=False)
    # The places of the data samples of a list that are unknown, or not in a dataset: tasks share
    # lists.
    wrong_samples: dict[tuple[AssetKeys, UUID | None], list[int]] = field(
        default_factory=dict, compare=False
    )
