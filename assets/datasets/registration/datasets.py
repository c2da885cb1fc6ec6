"""The only writer of datasets."""

from uuid import UUID

from ...accounts.models import User
from ...accounts.queries import organization_ids_to_check
from ...common.db import bulk
from ...common.errors import Problem, refuse_if
from ...common.files.batch import file_batch
from ...common.kinds import AssetKind
from ...feed.models import Event
from ...feed.registration import record
from ...permissions.access import check_may_register
from ...permissions.registration import intern_permissions
from ...permissions.rules import check_permissions
from .. import rules
from ..models import Dataset
from ..specs import DatasetSpec


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
