"""Loads what a batch of tasks refers to, with as many queries for one task as for 10,000."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from ...accounts.queries import organization_ids
from ...common.asset_keys import AssetKeys
from ...common.kinds import AssetKind
from ...datasets.models import DataSample, DataSampleLink, Dataset
from ...functions.models import Function, FunctionInput, FunctionOutput
from ...functions.specs import FunctionInputSpec, FunctionOutputSpec
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
    assets: dict[str, set[UUID]]


def load_context(specs: Sequence[TaskSpec]) -> tuple[References, BatchContext]:
    """Return what the tasks refer to, without parents among `specs`, which the caller adds."""
    batch = {spec.key for spec in specs}
    parents = {
        group.parent_task_key for spec in specs for group in spec.inputs if group.parent_task_key
    }
    functions = _load_functions({spec.function_key for spec in specs})
    assets = _asset_keys_by_kind(specs, functions)
    references = References({spec.function_key for spec in specs}, parents - batch, assets)
    return references, _load(references, functions)


def reload_context(references: References) -> BatchContext:
    """Return the same once more, for comparison: what a function declares does not change."""
    return _load(references, _load_functions(references.functions))


def _load(references: References, functions: dict[UUID, FunctionInfo]) -> BatchContext:
    parents = _load_tasks(references.parents)
    of_parents = {parent.function_key for parent in parents.values()} - references.functions
    wanted = references.assets
    return BatchContext(
        organizations=organization_ids(),
        functions=functions | (_load_functions(of_parents) if of_parents else {}),
        tasks=parents,
        datasets=_load_datasets(wanted[AssetKind.DATA_MANAGER]),
        samples=_load_samples(wanted[AssetKind.DATA_SAMPLE]),
        models=_load_models(wanted[AssetKind.MODEL]),
    )


def _columns(field: str) -> tuple[str, str]:
    """Return the columns of a permissions value, for `_value`."""
    return f"{field}__public", f"{field}__authorized_ids"


def _value(public: bool, authorized_ids: list[str]) -> PermissionsSpec:
    return PermissionsSpec(public, tuple(authorized_ids))


def _asset_keys_by_kind(
    specs: Iterable[TaskSpec], functions: dict[UUID, FunctionInfo]
) -> dict[str, set[UUID]]:
    lists: dict[str, set[AssetKeys]] = defaultdict(set)
    for spec in specs:
        function = functions.get(spec.function_key)
        for group in spec.inputs:
            declared = function.inputs.get(group.identifier) if function else None
            if declared:
                lists[declared.kind].add(group.asset_keys)
    found = {kind: set(chain.from_iterable(keys)) for kind, keys in lists.items()}
    return defaultdict(set, found)


def _load_functions(keys: Collection[UUID]) -> dict[UUID, FunctionInfo]:
    rows = Function.objects.filter(key__any=keys)
    functions = {
        key: FunctionInfo(_value(public, ids), status)
        for key, status, public, ids in rows.values_list("key", "status", *_columns("permissions"))
    }
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


def _load_tasks(keys: Collection[UUID]) -> dict[UUID, TaskInfo]:
    rows = Task.objects.filter(key__any=keys).values_list(
        "key", "function_id", "rank", "status", *_columns("logs_permission")
    )
    tasks = {
        key: TaskInfo(function, rank, status, _value(public, ids), {})
        for key, function, rank, status, public, ids in rows
    }
    outputs = TaskOutput.objects.filter(task__any=list(tasks))
    for key, identifier, public, ids in outputs.values_list(
        "task_id", "identifier", *_columns("permissions")
    ):
        tasks[key].outputs[identifier] = _value(public, ids)
    disabled = Model.objects.filter(task__any=list(tasks), file="")
    for task, key in disabled.values_list("task_id", "key"):
        tasks[task].disabled_models.append(key)
    return tasks


def _load_datasets(keys: Collection[UUID]) -> dict[UUID, DatasetInfo]:
    rows = Dataset.objects.filter(key__any=keys).values_list(
        "key", "owner_id", *_columns("permissions"), *_columns("logs_permission")
    )
    return {
        key: DatasetInfo(owner, _value(public, ids), _value(logs_public, logs_ids))
        for key, owner, public, ids, logs_public, logs_ids in rows
    }


def _load_samples(keys: Collection[UUID]) -> dict[UUID, set[UUID]]:
    samples: dict[UUID, set[UUID]] = {
        key: set() for key in DataSample.objects.filter(key__any=keys).values_list("key", flat=True)
    }
    links = DataSampleLink.objects.filter(data_sample__any=list(samples))
    for sample, dataset in links.values_list("data_sample_id", "dataset_id"):
        samples[sample].add(dataset)
    return samples


def _load_models(keys: Collection[UUID]) -> dict[UUID, ModelInfo]:
    rows = Model.objects.filter(key__any=keys)
    return {
        key: ModelInfo(_value(public, ids), disabled=not file)
        for key, file, public, ids in rows.values_list("key", "file", *_columns("permissions"))
    }
