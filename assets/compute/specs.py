"""Compute plan and task specs as plain values, and how the API spells them.

Two shapes of a task arrive, the batch's (`key`, `transient`) and the plan spec's (`task_id`,
`is_transient`); both are read by the same code. Contract 2.6, 2.7, decision 3.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from ..common.errors import Problem
from ..common.kinds import AssetKind
from ..common.parsing import LazyItems, Reader
from ..permissions.specs import PermissionsSpec, read_permissions
from .inputs import InputGroup, InputReader, InputRef

TASK = AssetKind.COMPUTE_TASK.word
PLAN = AssetKind.COMPUTE_PLAN.word


class OutputSpec(NamedTuple):
    """Who can use an output, and whether it is deleted when no task needs it any more."""

    permissions: PermissionsSpec
    transient: bool = False


@dataclass(slots=True)
class TaskSpec:
    """The values of a task to register."""

    key: UUID
    function_key: UUID
    # Blank: the owner of the task's dataset runs it.
    worker: str = ""
    # None: the task gets its own plan.
    compute_plan_key: UUID | None = None
    tag: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[InputGroup] = ()
    outputs: Mapping[str, OutputSpec] = field(default_factory=dict)

    @property
    def refs(self) -> list[InputRef]:
        """The inputs one by one: many, where a task takes thousands of data samples."""
        return [ref for group in self.inputs for ref in group.refs]

    def digest(self, owner: str) -> str:
        """Return the sha256 of the content, equal for the same task in either shape.

        It leaves out the worker, which may be inferred, and plan and owner, which are columns.
        """
        owned = {name: output.permissions.owned_by(owner) for name, output in self.outputs.items()}
        return self.digest_as(owned)

    def digest_as(
        self,
        owned: Mapping[str, PermissionsSpec],
        json_of: Callable[[InputGroup], bytes] = InputGroup.as_json,
    ) -> str:
        """Return the digest.

        Args:
            owned: the stored permissions of each output.
            json_of: the JSON of a group with several inputs, which may be remembered.
        """
        inputs = [
            orjson.Fragment(json_of(group))
            if len(group.asset_keys) > 1
            else (group.identifier, *(group.asset_keys or (None,)), *group[2:])
            for group in self.inputs
        ]
        content = [
            self.function_key,
            self.tag,
            sorted(self.metadata.items()),
            inputs,
            sorted(
                [(name, owned[name], output.transient) for name, output in self.outputs.items()]
            ),
        ]
        return hashlib.sha256(orjson.dumps(content, default=tuple)).hexdigest()


@dataclass(slots=True)
class ComputePlanSpec:
    """The values of a compute plan to register, with or without tasks."""

    key: UUID
    name: str
    tag: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tasks: Sequence[TaskSpec] = ()

    def digest(self) -> str:
        """Return the sha256 of the content; a later rename does not change it."""
        content = [self.name, self.tag, sorted(self.metadata.items())]
        return hashlib.sha256(orjson.dumps(content)).hexdigest()


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


def _read_task(reader: Reader, inputs: InputReader, data: Mapping[str, Any]) -> TaskSpec | None:
    """Return one task, or None if it has problems, which the reader then has."""
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
        inputs=inputs.read(reader, data),
        outputs=_read_outputs(reader, data),
    )
    return spec if len(reader.problems) == before else None


def read_tasks(reader: Reader, data: Mapping[str, Any]) -> list[TaskSpec]:
    """Return the tasks under ``tasks``; problems have paths such as ``tasks[3].function_key``."""
    found, inputs, items = [], InputReader(reader), data.get("tasks")
    if not isinstance(items, LazyItems):
        items = reader.items(data, "tasks")
    for index, item in enumerate(items):
        with reader.within(f"tasks[{index}]"):
            if not isinstance(item, Mapping):
                reader.complain("", "must be an object.")
            elif spec := _read_task(reader, inputs, item):
                found.append(spec)
    return found


def parse_tasks(data: Mapping[str, Any]) -> tuple[list[TaskSpec], list[Problem]]:
    """Return the tasks of ``{"tasks": [...]}`` that can be read, and all problems."""
    reader = Reader(TASK)
    return read_tasks(reader, data), reader.problems


def parse_compute_plan(data: Mapping[str, Any]) -> tuple[ComputePlanSpec, list[Problem]]:
    """Return a compute plan with its tasks that can be read, and all problems."""
    reader = Reader(PLAN)
    key = reader.key(data, "key")
    tag, name = reader.text(data, "tag"), reader.text(data, "name")
    metadata = reader.mapping(data, "metadata")
    tasks = Reader(TASK)
    spec = ComputePlanSpec(key or UUID(int=0), name, tag, metadata, read_tasks(tasks, data))
    return spec, [*reader.problems, *tasks.problems]
