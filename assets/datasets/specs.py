"""Dataset and data sample specs as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from uuid import UUID

from django.core.files.base import File

from ..permissions.specs import PermissionsSpec


@dataclass(slots=True)
class DatasetSpec:
    """The values that register a dataset."""

    name: str = ""
    data_opener: File | None = None
    description: File | None = None
    type: str = ""
    permissions: PermissionsSpec = PermissionsSpec()
    logs_permission: PermissionsSpec = PermissionsSpec()
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class DataSampleSpec:
    """The values that register data samples: archives, or folders that stay where they are.

    Each archive and each folder is one sample; with `multiple`, each subfolder of `paths` is.

    Attributes:
        paths: folders on the server.
        runner_paths: folders below the data root of the organisation's runners.
    """

    data_manager_keys: Sequence[UUID]
    archives: Mapping[str, File] = field(default_factory=dict)
    paths: Sequence[Path] = ()
    multiple: bool = False
    runner_paths: Sequence[PurePosixPath] = ()
