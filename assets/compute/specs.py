"""Compute plan and task specs as plain values, and how the wire spells them.

Two shapes of a task arrive, the batch's (`key`, `transient`) and the plan spec's (`task_id`,
`is_transient`); both are read by the same code. Contract 2.6, 2.7, decision 3.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from ..common.errors import Problem
from ..common.kinds import AssetKind
from ..common.parsing import Reader
from ..permissions.specs import PermissionsSpec, read_permissions

TASK = AssetKind.COMPUTE_TASK.word
PLAN = AssetKind.COMPUTE_PLAN.word


class InputRef(NamedTuple):
    """What feeds one input: an asset, or else an output of a parent task."""

    identifier: str
    asset_key: UUID | None = None
    parent_task_key: UUID | None = None
    parent_task_output_identifier: str | None = None


class OutputSpec(NamedTuple):
    """Who may use what an output makes, and whether it is deleted once nothing needs it."""

    permissions: PermissionsSpec
    transient: bool = False


@dataclass(slots=True)
class TaskSpec:
    """What is handed over to register a task."""

    key: UUID
    function_key: UUID
    # Blank where the owner of the task's dataset tells.
    worker: str = ""
    # None: the task gets a plan of its own.
    compute_plan_key: UUID | None = None
    tag: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[InputRef] = ()
    outputs: Mapping[str, OutputSpec] = field(default_factory=dict)

    def digest(self, owner: str) -> str:
        """Return the sha256 of the content: equal for the same task sent in either shape.

        The worker is left out, because it may be inferred; plan and owner are columns.
        """
        owned = {name: output.permissions.owned_by(owner) for name, output in self.outputs.items()}
        return self.digest_as(owned)

    def digest_as(self, owned: Mapping[str, PermissionsSpec]) -> str:
        """Return the digest, given who may use each output as it is stored."""
        content = [
            self.function_key,
            self.tag,
            sorted(self.metadata.items()),
            self.inputs,
            sorted(
                [(name, owned[name], output.transient) for name, output in self.outputs.items()]
            ),
        ]
        return hashlib.sha256(orjson.dumps(content, default=tuple)).hexdigest()


@dataclass(slots=True)
class ComputePlanSpec:
    """What is handed over to register a compute plan, with or without tasks."""

    key: UUID
    name: str
    tag: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tasks: Sequence[TaskSpec] = ()

    def digest(self) -> str:
        """Return the sha256 of the content as registered; a later rename leaves it alone."""
        content = [self.name, self.tag, sorted(self.metadata.items())]
        return hashlib.sha256(orjson.dumps(content)).hexdigest()


def _read_input(reader: Reader, data: Mapping[str, Any]) -> InputRef:
    return InputRef(
        reader.text(data, "identifier"),
        reader.optional_key(data, "asset_key"),
        reader.optional_key(data, "parent_task_key"),
        reader.text(data, "parent_task_output_identifier") or None,
    )


def _read_inputs(reader: Reader, data: Mapping[str, Any]) -> tuple[InputRef, ...]:
    found = []
    for index, item in enumerate(reader.items(data, "inputs")):
        with reader.within(f"inputs[{index}]"):
            if isinstance(item, Mapping):
                found.append(_read_input(reader, item))
            else:
                reader.complain("", "must be an object.")
    return tuple(found)


def _read_outputs(reader: Reader, data: Mapping[str, Any]) -> dict[str, OutputSpec]:
    found = {}
    for identifier, item in reader.mapping(data, "outputs").items():
        with reader.within(f"outputs.{identifier}"):
            if not isinstance(item, Mapping):
                reader.complain("", "must be an object.")
                continue
            if not item.get("permissions"):
                reader.complain("permissions", "is missing. Say who may use this output.")
            transient = "transient" if item.get("transient") is not None else "is_transient"
            found[identifier] = OutputSpec(
                read_permissions(reader, item, "permissions"), reader.flag(item, transient)
            )
    return found


def read_task(reader: Reader, data: Mapping[str, Any]) -> TaskSpec | None:
    """Read one task; None when something is wrong with it, which the reader then knows."""
    before = len(reader.problems)
    key = reader.key(data, "task_id" if data.get("key") is None and "task_id" in data else "key")
    function_key = reader.key(data, "function_key")
    spec = TaskSpec(
        key=key or UUID(int=0),
        function_key=function_key or UUID(int=0),
        worker=reader.text(data, "worker"),
        compute_plan_key=reader.optional_key(data, "compute_plan_key"),
        tag=reader.text(data, "tag"),
        metadata=reader.mapping(data, "metadata"),
        inputs=_read_inputs(reader, data),
        outputs=_read_outputs(reader, data),
    )
    return spec if len(reader.problems) == before else None


def read_tasks(reader: Reader, data: Mapping[str, Any]) -> list[TaskSpec]:
    """Read the list under ``tasks``; problems carry paths such as ``tasks[3].function_key``."""
    found = []
    for index, item in enumerate(reader.items(data, "tasks")):
        with reader.within(f"tasks[{index}]"):
            if not isinstance(item, Mapping):
                reader.complain("", "must be an object.")
            elif spec := read_task(reader, item):
                found.append(spec)
    return found


def parse_tasks(data: Mapping[str, Any]) -> tuple[list[TaskSpec], list[Problem]]:
    """Read a body ``{"tasks": [...]}``; return the tasks that could be read and all problems."""
    reader = Reader(TASK)
    return read_tasks(reader, data), reader.problems


def parse_compute_plan(data: Mapping[str, Any]) -> tuple[ComputePlanSpec, list[Problem]]:
    """Read a compute plan with its tasks."""
    reader = Reader(PLAN)
    key = reader.key(data, "key")
    tag, name = reader.text(data, "tag"), reader.text(data, "name")
    metadata = reader.mapping(data, "metadata")
    tasks = Reader(TASK)
    spec = ComputePlanSpec(key or UUID(int=0), name, tag, metadata, read_tasks(tasks, data))
    return spec, [*reader.problems, *tasks.problems]
