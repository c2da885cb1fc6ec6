"""Loads what a batch of tasks refers to, with as many queries for one task as for 10,000."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.apps import apps

from ..accounts.queries import organization_ids
from ..common.kinds import AssetKind
from ..datasets.models import DataSample, DataSampleLink, Dataset
from ..functions.models import Function, FunctionInput, FunctionOutput
from ..functions.specs import FunctionInputSpec, FunctionOutputSpec
from ..permissions.models import Permissions
from ..permissions.specs import PermissionsSpec
from .known import KnownDataset, KnownFunction, KnownModel, KnownTask, World
from .models import Task, TaskOutput
from .specs import TaskSpec


@dataclass(slots=True)
class References:
    """The keys of all that a batch of tasks refers to, outside of itself."""

    functions: set[UUID]
    parents: set[UUID]
    # By the kind that the function's inputs declare.
    assets: dict[str, set[UUID]] = field(default_factory=dict)


def references_of(specs: Sequence[TaskSpec]) -> References:
    """Return what the tasks refer to; of which kind it is, `load_world` finds out."""
    batch = {spec.key for spec in specs}
    parents = {ref.parent_task_key for spec in specs for ref in spec.inputs if ref.parent_task_key}
    return References({spec.function_key for spec in specs}, parents - batch)


def load_world(specs: Sequence[TaskSpec], references: References) -> World:
    """Load what the tasks refer to. Parents that are among `specs` are left to the caller."""
    values = _PermissionValues()
    functions = _load_functions(references.functions, values)
    references.assets = _asset_keys_by_kind(specs, functions)
    return _load(references, functions, values)


def load_again(references: References) -> World:
    """Load the same once more: what a function declares does not change."""
    values = _PermissionValues()
    return _load(references, _load_functions(references.functions, values), values)


def _load(
    references: References, functions: dict[UUID, KnownFunction], values: "_PermissionValues"
) -> World:
    parents = _load_tasks(references.parents, values)
    of_parents = {parent.function_key for parent in parents.values()} - references.functions
    wanted = references.assets
    world = World(
        organizations=organization_ids(),
        functions=functions | (_load_functions(of_parents, values) if of_parents else {}),
        tasks=parents,
        datasets=_load_datasets(wanted[AssetKind.DATA_MANAGER], values),
        samples=_load_samples(wanted[AssetKind.DATA_SAMPLE]),
        models=_load_models(wanted[AssetKind.MODEL], values),
    )
    values.fill()
    return world


class _PermissionValues:
    """Collects permission ids while rows are read, then fills their values in with one query."""

    def __init__(self) -> None:
        self._wanted: list[tuple[int, object, str]] = []

    def want(self, pk: int, target: object, attribute: str) -> None:
        self._wanted.append((pk, target, attribute))

    def fill(self) -> None:
        rows = Permissions.objects.filter(pk__any={pk for pk, _, _ in self._wanted})
        values = {row.pk: row.value for row in rows}
        for pk, target, attribute in self._wanted:
            if isinstance(target, dict):
                target[attribute] = values[pk]
            else:
                setattr(target, attribute, values[pk])


_UNFILLED = PermissionsSpec()


def _asset_keys_by_kind(
    specs: Iterable[TaskSpec], functions: dict[UUID, KnownFunction]
) -> dict[str, set[UUID]]:
    keys: dict[str, set[UUID]] = defaultdict(set)
    for spec in specs:
        function = functions.get(spec.function_key)
        for ref in spec.inputs:
            declared = function.inputs.get(ref.identifier) if function else None
            if declared and ref.asset_key:
                keys[declared.kind].add(ref.asset_key)
    return keys


def _load_functions(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, KnownFunction]:
    functions = {}
    for key, permissions, status in Function.objects.filter(key__any=keys).values_list(
        "key", "permissions_id", "status"
    ):
        functions[key] = KnownFunction(_UNFILLED, status)
        values.want(permissions, functions[key], "permissions")
    inputs = FunctionInput.objects.filter(function__any=list(functions)).values_list(
        "function_id", "identifier", "kind", "multiple", "optional"
    )
    for key, identifier, kind, multiple, optional in inputs:
        item = FunctionInputSpec(identifier, kind, multiple, optional)
        functions[key].inputs[identifier] = item
    outputs = FunctionOutput.objects.filter(function__any=list(functions)).values_list(
        "function_id", "identifier", "kind", "multiple"
    )
    for key, identifier, kind, multiple in outputs:
        functions[key].outputs[identifier] = FunctionOutputSpec(identifier, kind, multiple)
    return functions


def _load_tasks(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, KnownTask]:
    tasks = {}
    for key, function, rank, status, logs in Task.objects.filter(key__any=keys).values_list(
        "key", "function_id", "rank", "status", "logs_permission_id"
    ):
        tasks[key] = KnownTask(function, rank, status, _UNFILLED, {})
        values.want(logs, tasks[key], "logs_permission")
    outputs = TaskOutput.objects.filter(task__any=list(tasks)).values_list(
        "task_id", "identifier", "permissions_id"
    )
    for key, identifier, permissions in outputs:
        values.want(permissions, tasks[key].outputs, identifier)
        tasks[key].outputs[identifier] = _UNFILLED
    disabled = apps.get_model("assets", "Model").objects.filter(task__any=list(tasks), file="")
    for task, key in disabled.values_list("task_id", "key"):
        tasks[task].disabled_models.append(key)
    return tasks


def _load_datasets(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, KnownDataset]:
    datasets = {}
    for key, owner, permissions, logs in Dataset.objects.filter(key__any=keys).values_list(
        "key", "owner_id", "permissions_id", "logs_permission_id"
    ):
        datasets[key] = KnownDataset(owner, _UNFILLED, _UNFILLED)
        values.want(permissions, datasets[key], "permissions")
        values.want(logs, datasets[key], "logs_permission")
    return datasets


def _load_samples(keys: Collection[UUID]) -> dict[UUID, set[UUID]]:
    samples: dict[UUID, set[UUID]] = {
        key: set() for key in DataSample.objects.filter(key__any=keys).values_list("key", flat=True)
    }
    links = DataSampleLink.objects.filter(data_sample__any=list(samples))
    for sample, dataset in links.values_list("data_sample_id", "dataset_id"):
        samples[sample].add(dataset)
    return samples


def _load_models(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, KnownModel]:
    # The room of outputs stands above this one, so its model is asked for by name.
    models = {}
    rows = apps.get_model("assets", "Model").objects.filter(key__any=keys)
    for key, permissions, file in rows.values_list("key", "permissions_id", "file"):
        models[key] = KnownModel(_UNFILLED, disabled=not file)
        values.want(permissions, models[key], "permissions")
    return models
