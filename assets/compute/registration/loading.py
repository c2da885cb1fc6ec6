"""Loads what a batch of tasks refers to, with as many queries for one task as for 10,000."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from ...accounts.queries import organization_ids
from ...common.kinds import AssetKind
from ...datasets.models import DataSample, DataSampleLink, Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ...functions.specs import FunctionInputSpec, FunctionOutputSpec
from ...permissions.models import Permissions
from ...permissions.specs import PermissionsSpec
from ..models import Model, Task, TaskOutput
from ..specs import TaskSpec
from .context import BatchContext, DatasetInfo, FunctionInfo, ModelInfo, TaskInfo


@dataclass(slots=True)
class References:
    """The keys of everything outside a batch that its tasks refer to."""

    functions: set[UUID]
    parents: set[UUID]
    # By the kind that the function's inputs declare.
    assets: dict[str, set[UUID]] = field(default_factory=dict)


def find_references(specs: Sequence[TaskSpec]) -> References:
    """Return what the tasks refer to; `load_context` adds the kinds of the assets."""
    batch = {spec.key for spec in specs}
    parents = {ref.parent_task_key for spec in specs for ref in spec.inputs if ref.parent_task_key}
    return References({spec.function_key for spec in specs}, parents - batch)


def load_context(specs: Sequence[TaskSpec], references: References) -> BatchContext:
    """Return what the tasks refer to. Parents among `specs` are left for the caller to add."""
    values = _PermissionValues()
    functions = _load_functions(references.functions, values)
    references.assets = _asset_keys_by_kind(specs, functions)
    return _load(references, functions, values)


def reload_context(references: References) -> BatchContext:
    """Return the same once more, for comparison: what a function declares does not change."""
    values = _PermissionValues()
    return _load(references, _load_functions(references.functions, values), values)


def _load(
    references: References, functions: dict[UUID, FunctionInfo], values: "_PermissionValues"
) -> BatchContext:
    parents = _load_tasks(references.parents, values)
    of_parents = {parent.function_key for parent in parents.values()} - references.functions
    wanted = references.assets
    context = BatchContext(
        organizations=organization_ids(),
        functions=functions | (_load_functions(of_parents, values) if of_parents else {}),
        tasks=parents,
        datasets=_load_datasets(wanted[AssetKind.DATA_MANAGER], values),
        samples=_load_samples(wanted[AssetKind.DATA_SAMPLE]),
        models=_load_models(wanted[AssetKind.MODEL], values),
    )
    values.load()
    return context


class _PermissionValues:
    """Collects permission ids while rows are read, then loads all values with one query."""

    def __init__(self) -> None:
        self._setters: list[tuple[int, Callable[[PermissionsSpec], None]]] = []

    def add(self, pk: int, setter: Callable[[PermissionsSpec], None]) -> None:
        self._setters.append((pk, setter))

    def load(self) -> None:
        rows = Permissions.objects.filter(pk__any={pk for pk, _ in self._setters})
        values = {row.pk: row.value for row in rows}
        for pk, setter in self._setters:
            setter(values[pk])


# The value until `_PermissionValues.load` has run.
_NOT_LOADED = PermissionsSpec()


def _asset_keys_by_kind(
    specs: Iterable[TaskSpec], functions: dict[UUID, FunctionInfo]
) -> dict[str, set[UUID]]:
    keys: dict[str, set[UUID]] = defaultdict(set)
    for spec in specs:
        function = functions.get(spec.function_key)
        for ref in spec.inputs:
            declared = function.inputs.get(ref.identifier) if function else None
            if declared and ref.asset_key:
                keys[declared.kind].add(ref.asset_key)
    return keys


def _load_functions(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, FunctionInfo]:
    functions = {}
    for key, permissions, status in Function.objects.filter(key__any=keys).values_list(
        "key", "permissions_id", "status"
    ):
        functions[key] = FunctionInfo(_NOT_LOADED, status)
        values.add(permissions, partial(setattr, functions[key], "permissions"))
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


def _load_tasks(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, TaskInfo]:
    tasks = {}
    for key, function, rank, status, logs in Task.objects.filter(key__any=keys).values_list(
        "key", "function_id", "rank", "status", "logs_permission_id"
    ):
        tasks[key] = TaskInfo(function, rank, status, _NOT_LOADED, {})
        values.add(logs, partial(setattr, tasks[key], "logs_permission"))
    outputs = TaskOutput.objects.filter(task__any=list(tasks)).values_list(
        "task_id", "identifier", "permissions_id"
    )
    for key, identifier, permissions in outputs:
        values.add(permissions, partial(tasks[key].outputs.__setitem__, identifier))
    disabled = Model.objects.filter(task__any=list(tasks), file="")
    for task, key in disabled.values_list("task_id", "key"):
        tasks[task].disabled_models.append(key)
    return tasks


def _load_datasets(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, DatasetInfo]:
    datasets = {}
    for key, owner, permissions, logs in Dataset.objects.filter(key__any=keys).values_list(
        "key", "owner_id", "permissions_id", "logs_permission_id"
    ):
        datasets[key] = DatasetInfo(owner, _NOT_LOADED, _NOT_LOADED)
        values.add(permissions, partial(setattr, datasets[key], "permissions"))
        values.add(logs, partial(setattr, datasets[key], "logs_permission"))
    return datasets


def _load_samples(keys: Collection[UUID]) -> dict[UUID, set[UUID]]:
    samples: dict[UUID, set[UUID]] = {
        key: set() for key in DataSample.objects.filter(key__any=keys).values_list("key", flat=True)
    }
    links = DataSampleLink.objects.filter(data_sample__any=list(samples))
    for sample, dataset in links.values_list("data_sample_id", "dataset_id"):
        samples[sample].add(dataset)
    return samples


def _load_models(keys: Collection[UUID], values: _PermissionValues) -> dict[UUID, ModelInfo]:
    models = {}
    rows = Model.objects.filter(key__any=keys).values_list("key", "permissions_id", "file")
    for key, permissions, file in rows:
        models[key] = ModelInfo(_NOT_LOADED, disabled=not file)
        values.add(permissions, partial(setattr, models[key], "permissions"))
    return models
