"""What is known when tasks are checked: everything that a batch refers to, as plain values."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from uuid import UUID

from ..functions.specs import FunctionInputSpec, FunctionOutputSpec
from ..permissions.specs import PermissionsSpec


@dataclass(slots=True)
class KnownFunction:
    permissions: PermissionsSpec
    status: str
    inputs: dict[str, FunctionInputSpec] = field(default_factory=dict)
    outputs: dict[str, FunctionOutputSpec] = field(default_factory=dict)


@dataclass(slots=True)
class KnownDataset:
    owner: str
    permissions: PermissionsSpec
    logs_permission: PermissionsSpec


@dataclass(slots=True)
class KnownModel:
    permissions: PermissionsSpec
    disabled: bool


@dataclass(slots=True)
class KnownTask:
    """A task that may be a parent: registered already, or of the batch."""

    function_key: UUID
    rank: int
    status: str
    logs_permission: PermissionsSpec
    outputs: dict[str, PermissionsSpec]
    disabled_models: list[UUID] = field(default_factory=list)


@dataclass(slots=True)
class World:
    """What a batch of tasks refers to, by key."""

    organizations: set[str]
    functions: dict[UUID, KnownFunction]
    tasks: dict[UUID, KnownTask]
    datasets: dict[UUID, KnownDataset]
    # The datasets of each data sample.
    samples: dict[UUID, set[UUID]]
    models: dict[UUID, KnownModel]
    # Whether tasks of one shape fit their function: thousands of a batch have the same.
    fits: dict[Hashable, bool] = field(default_factory=dict, compare=False)
