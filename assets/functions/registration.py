"""The only writer of functions."""

from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from django.db import connection

from ..accounts.models import User
from ..accounts.queries import organization_ids_to_check
from ..common.db import bulk
from ..common.errors import Code, Problem, Refused, not_found, refuse, refuse_if
from ..common.files.archives.check import archive_suffix
from ..common.files.batch import file_batch
from ..common.kinds import AssetKind
from ..feed.models import Event
from ..feed.registration import Actor, record
from ..permissions.access import check_may_register
from ..permissions.registration import intern_permissions
from ..permissions.rules import check_permissions
from . import rules
from .models import FUNCTION_TRANSITIONS, Function, FunctionInput, FunctionOutput, FunctionStatus
from .specs import FunctionSpec


def check_function(spec: FunctionSpec, actor: User) -> list[Problem]:
    """Return every problem with registering the function; writes nothing."""
    if problems := list(check_may_register(actor)):
        return problems
    known = organization_ids_to_check(spec.permissions.authorized_ids, actor.acts_for)
    return [
        *rules.check_function_values(spec),
        *check_permissions(spec.permissions, known),
    ]


def register_function(spec: FunctionSpec, actor: User, *, key: UUID | None = None) -> Function:
    """Register a function for the actor's organisation and return it.

    Args:
        key: by default a new one.

    Raises:
        Refused: `check_function` finds a problem.
        IntegrityError: there is a function with this key.
    """
    refuse_if(check_function(spec, actor))
    assert spec.file is not None and spec.description is not None  # noqa: S101, PT018
    owner = actor.acts_for
    with file_batch("functions") as files:
        archive = files.save(f"function{archive_suffix(spec.file)}", spec.file)
        description = files.save("description.md", spec.description)
        with files.commit():
            may_use = spec.permissions.owned_by(owner)
            function = Function(
                key=key or files.key,
                owner_id=owner,
                name=spec.name,
                metadata=dict(spec.metadata),
                permissions_id=intern_permissions([may_use])[may_use],
                description=description.name,
                description_checksum=description.checksum,
                description_size=description.size,
                archive=archive.name,
                archive_checksum=archive.checksum,
                archive_size=archive.size,
            )
            bulk.insert_one(function)
            _insert_inputs_and_outputs(function, spec)
            record(
                actor,
                Event.Action.REGISTERED,
                AssetKind.FUNCTION,
                {function.key: function.name},
                when=function.creation_date,
            )
    return function


def hold_statuses(keys: Collection[UUID]) -> None:
    """Keep the statuses of functions until the transaction ends; registering does not wait.

    The status of a new task follows from its function's. If that changed before the task is
    committed, the task would wait forever. SQLite has one writer at a time anyway.
    """
    if connection.vendor == "postgresql" and keys:
        table = connection.ops.quote_name(Function._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT key FROM {table} WHERE key = ANY(%s) ORDER BY key FOR SHARE",  # noqa: S608
                [list(keys)],
            )


def change_status(key: UUID, status: FunctionStatus, actor: Actor, now: datetime) -> Function:
    """Change the status of a function, in the caller's transaction, and return it locked.

    Raises:
        Refused: the function does not exist, or its status cannot be followed by this one.
    """
    function = Function.objects.select_for_update().filter(pk=key).first()
    if function is None:
        raise Refused([not_found("function", key)])
    before = FunctionStatus(function.status)
    if status not in FUNCTION_TRANSITIONS[before]:
        message = f'Function "{key}" is {before} and cannot become {status}.'
        raise refuse(Code.CONFLICT, message, key=str(key))
    function.status = status
    function.save(update_fields=["status"])
    is_final = not FUNCTION_TRANSITIONS[status]
    detail = {"status": status.removeprefix("FUNCTION_STATUS_")} if is_final else {}
    action = Event.Action.ENDED if is_final else Event.Action.STARTED
    record(actor, action, AssetKind.FUNCTION, {key: function.name}, when=now, detail=detail)
    return function


def _insert_inputs_and_outputs(function: Function, spec: FunctionSpec) -> None:
    inputs = [asdict(item) for item in spec.inputs]
    outputs = [asdict(item) for item in spec.outputs]
    for model, items in ((FunctionInput, inputs), (FunctionOutput, outputs)):
        bulk.insert(
            model,
            [
                {"function_id": function.key, "position": position, **item}
                for position, item in enumerate(items)
            ],
        )
