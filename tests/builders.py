"""Legal specs to begin from, and assets registered from them.

Every builder makes what `registration` accepts; a test changes the one thing that it is about::

    spec = dataset_spec(name="")
    make_dataset(alice, permissions=PUBLIC)
"""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from assets.accounts.models import User
from assets.compute import registration as compute
from assets.compute.inputs import InputRef, grouped
from assets.compute.models import (
    ComputePlan,
    FailureReport,
    Model,
    Performance,
    ProfilingStep,
    Task,
)
from assets.compute.specs import ComputePlanSpec, OutputSpec, TaskSpec
from assets.compute.statuses import ErrorType, TaskStatus
from assets.datasets import registration as datasets
from assets.datasets.models import DataSample, Dataset
from assets.datasets.specs import DataSampleSpec, DatasetSpec
from assets.functions import registration as functions
from assets.functions.models import Function
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec
from assets.permissions.registration import intern_permissions
from assets.permissions.specs import PermissionsSpec

PUBLIC = PermissionsSpec(public=True)
PRIVATE = PermissionsSpec()

OPENER = b"""import substratools


class Opener(substratools.Opener):
    def get_data(self, folders): ...
    def fake_data(self, n_samples=None): ...
"""
DESCRIPTION = "# Measurements\n\nTaken in the ward. Été.\n".encode()
CODE = {"Dockerfile": b"FROM python:3.11-slim\n", "function.py": b"print('trained')\n"}

OPENER_INPUT = FunctionInputSpec("opener", "ASSET_DATA_MANAGER")
SAMPLES_INPUT = FunctionInputSpec("datasamples", "ASSET_DATA_SAMPLE", multiple=True)
MODEL_INPUT = FunctionInputSpec("shared", "ASSET_MODEL", optional=True)
MODELS_INPUT = FunctionInputSpec("models", "ASSET_MODEL", multiple=True)
MODEL_OUTPUT = FunctionOutputSpec("model", "ASSET_MODEL")
PERFORMANCE_OUTPUT = FunctionOutputSpec("performance", "ASSET_PERFORMANCE")


def only_to(*organization_ids: str) -> PermissionsSpec:
    return PermissionsSpec(False, organization_ids)


def upload(content: bytes, name: str = "file") -> ContentFile:
    return ContentFile(content, name=name)


def zip_of(files: Mapping[str, bytes]) -> bytes:
    """Zip the files; the same bytes whenever it is called, so that checksums can be compared."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def tar_of(files: Mapping[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def dataset_spec(**changes: Any) -> DatasetSpec:
    values = {
        "name": "Blood counts",
        "type": "tabular",
        "data_opener": upload(OPENER, "opener.py"),
        "description": upload(DESCRIPTION, "description.md"),
        "metadata": {"ward": "7"},
    }
    return DatasetSpec(**{**values, **changes})


def make_dataset(actor: User, **changes: Any) -> Dataset:
    return datasets.register_dataset(dataset_spec(**changes), actor)


def make_samples(actor: User, *dataset_keys: UUID, count: int = 1) -> list[DataSample]:
    archives = {f"sample-{n}": upload(zip_of({"data.csv": b"%d\n" % n})) for n in range(count)}
    return datasets.register_data_samples(DataSampleSpec(dataset_keys, archives), actor)


def make_samples_at_runner(
    actor: User, *dataset_keys: UUID, paths: Iterable[str] = ("visits/p1",)
) -> list[DataSample]:
    spec = DataSampleSpec(dataset_keys, runner_paths=list(map(PurePosixPath, paths)))
    return datasets.register_data_samples(spec, actor)


def function_spec(**changes: Any) -> FunctionSpec:
    values = {
        "name": "Train",
        "description": upload(DESCRIPTION, "description.md"),
        "file": upload(zip_of(CODE), "function.zip"),
        "inputs": (OPENER_INPUT, SAMPLES_INPUT, MODEL_INPUT),
        "outputs": (MODEL_OUTPUT,),
    }
    return FunctionSpec(**{**values, **changes})


def make_function(actor: User, **changes: Any) -> Function:
    return functions.register_function(function_spec(**changes), actor)


def make_aggregate(actor: User, **changes: Any) -> Function:
    """A function that takes models only, so that any organisation may be its worker."""
    return make_function(actor, **{"name": "Aggregate", "inputs": (MODELS_INPUT,), **changes})


def training_task(
    dataset: Dataset, samples: list[DataSample], function: Function, **changes: Any
) -> TaskSpec:
    """A task of `make_function`'s function on the dataset's own organisation."""
    values = {
        "key": uuid4(),
        "function_key": function.key,
        "worker": dataset.owner_id,
        "inputs": grouped(
            [
                InputRef("opener", dataset.key),
                *(InputRef("datasamples", sample.key) for sample in samples),
            ]
        ),
        "outputs": {"model": OutputSpec(PRIVATE)},
    }
    return TaskSpec(**{**values, **changes})


def child_input(parent: TaskSpec | Task, identifier: str = "shared") -> InputRef:
    """An input that takes the parent's model."""
    return InputRef(identifier, None, parent.key, "model")


def aggregate_task(function: Function, worker: str, *parents: TaskSpec, **changes: Any) -> TaskSpec:
    values = {
        "key": uuid4(),
        "function_key": function.key,
        "worker": worker,
        "inputs": grouped(child_input(parent, "models") for parent in parents),
        "outputs": {"model": OutputSpec(PRIVATE)},
    }
    return TaskSpec(**{**values, **changes})


def plan_spec(**changes: Any) -> ComputePlanSpec:
    return ComputePlanSpec(**{"key": uuid4(), "name": "Study", "tag": "first", **changes})


def make_plan(actor: User, *tasks: TaskSpec, **changes: Any) -> ComputePlan:
    return compute.register_compute_plan(plan_spec(tasks=tasks, **changes), actor)


def make_one_of_each(actor: User, **names: str) -> dict[str, Any]:
    """Register one asset of each kind; return them by the names of their pages.

    `names` gives names to the dataset, the function and the compute plan (`compute_plan`).
    """

    def named(kind: str) -> dict[str, str]:
        return {"name": names[kind]} if kind in names else {}

    dataset = make_dataset(actor, **named("dataset"))
    samples = make_samples(actor, dataset.key)
    function = make_function(actor, **named("function"))
    task = training_task(dataset, samples, function)
    plan = make_plan(actor, task, **named("compute_plan"))
    return {
        "dataset": dataset,
        "data-sample": samples[0],
        "function": function,
        "compute-plan": plan,
        "task": plan.tasks.get(),
    }


# --- What work produces: a worker writes it, so the rows are made here as they are ----------------


def set_status(task_keys: Iterable[UUID], status: TaskStatus, **columns: Any) -> None:
    """Put tasks into a status, as a worker would."""
    if status == TaskStatus.FAILED:
        columns.setdefault("error_type", ErrorType.EXECUTION)
    Task.objects.filter(key__in=task_keys).update(status=status, **columns)


def make_model(
    task_key: UUID,
    identifier: str = "model",
    content: bytes = b"weights",
    permissions: PermissionsSpec | None = None,
) -> Model:
    """A model that the task has made, permitted as its output is; without content: disabled."""
    task = Task.objects.get(pk=task_key)
    output = task.outputs.get(identifier=identifier)
    value = (permissions or output.permissions.value).owned_by(task.worker_id)
    key = uuid4()
    return Model.objects.create(
        key=key,
        owner_id=task.worker_id,
        permissions_id=intern_permissions([value])[value],
        output=output,
        task=task,
        **(_stored("file", f"models/{key}", content) if content else {}),
    )


def _stored(field: str, name: str, content: bytes) -> dict[str, Any]:
    return {
        field: default_storage.save(name, upload(content)),
        f"{field}_checksum": hashlib.sha256(content).hexdigest(),
        f"{field}_size": len(content),
    }


def make_performance(task_key: UUID, value: float, identifier: str = "performance") -> Performance:
    output = Task.objects.get(pk=task_key).outputs.get(identifier=identifier)
    return Performance.objects.create(output=output, value=value)


def make_step(task_key: UUID, step: str = "task_execution", took: int = 10**6) -> ProfilingStep:
    """A step of a task, and how many microseconds it took."""
    return ProfilingStep.objects.create(task_id=task_key, step=step, duration=took)


def make_failure(logs: bytes = b"", **values: Any) -> FailureReport:
    """A failure report of `task_id` or `function_id`; no text: it has no logs."""
    values = {"error_type": ErrorType.EXECUTION, **values}
    stored = _stored("logs", f"logs/{uuid4()}", logs) if logs else {}
    return FailureReport.objects.create(**values, **stored)


# --- On the wire ---------------------------------------------------------------------------------


def multipart(values: Mapping[str, Any], **files: File | None) -> dict[str, Any]:
    """A multipart body as the SDK sends it: the object in the part `json`, the files beside it."""
    found = {name: file for name, file in files.items() if file is not None}
    return {"json": json.dumps(values), **found}


def wire_permissions(permissions: PermissionsSpec) -> dict[str, Any]:
    return {"public": permissions.public, "authorized_ids": list(permissions.authorized_ids)}


def wire_task(spec: TaskSpec, plan_key: UUID | None = None) -> dict[str, Any]:
    """A task as the SDK's bulk_create sends it, explicit nulls included."""
    plan = plan_key or spec.compute_plan_key
    return {
        "key": str(spec.key),
        "compute_plan_key": plan and str(plan),
        "function_key": str(spec.function_key),
        "worker": spec.worker,
        "tag": spec.tag or None,
        "metadata": spec.metadata or None,
        "rank": None,
        "inputs": [
            {
                "identifier": ref.identifier,
                "asset_key": ref.asset_key and str(ref.asset_key),
                "parent_task_key": ref.parent_task_key and str(ref.parent_task_key),
                "parent_task_output_identifier": ref.parent_task_output_identifier,
            }
            for ref in spec.refs
        ],
        "outputs": {
            identifier: {
                "permissions": wire_permissions(output.permissions),
                "transient": output.transient,
            }
            for identifier, output in spec.outputs.items()
        },
    }


def wire_plan_task(spec: TaskSpec) -> dict[str, Any]:
    """A task as the SDK sends it within a plan: other names for its key and for transient."""
    task = wire_task(spec, spec.compute_plan_key)
    task["task_id"] = task.pop("key")
    del task["rank"]
    for name in () if spec.compute_plan_key else ("compute_plan_key",):
        del task[name]
    for output in task["outputs"].values():
        output["is_transient"] = output.pop("transient")
    return task


def wire_plan(spec: ComputePlanSpec) -> dict[str, Any]:
    return {
        "key": str(spec.key),
        "name": spec.name,
        "tag": spec.tag,
        "metadata": spec.metadata,
        "tasks": [wire_plan_task(task) for task in spec.tasks],
    }


def wire_dataset(spec: DatasetSpec) -> dict[str, Any]:
    """A dataset as the SDK sends it."""
    values = {
        "name": spec.name,
        "type": spec.type,
        "metadata": spec.metadata,
        "permissions": wire_permissions(spec.permissions),
        "logs_permission": wire_permissions(spec.logs_permission),
    }
    return multipart(values, data_opener=spec.data_opener, description=spec.description)


def wire_slots(items: Iterable[FunctionInputSpec | FunctionOutputSpec]) -> list[dict[str, Any]]:
    """A function's inputs or outputs as a list, which can also say one identifier twice."""
    return [asdict(item) for item in items]


def wire_function(spec: FunctionSpec) -> dict[str, Any]:
    values = {
        "name": spec.name,
        "metadata": spec.metadata,
        "permissions": wire_permissions(spec.permissions),
        "inputs": wire_slots(spec.inputs),
        "outputs": wire_slots(spec.outputs),
    }
    return multipart(values, file=spec.file, description=spec.description)


def wire_samples(spec: DataSampleSpec) -> dict[str, Any]:
    """Data samples as the SDK sends them: archives as parts, or else the server's folders."""
    values = {"data_manager_keys": [str(key) for key in spec.data_manager_keys]}
    if spec.paths:
        values |= {"paths": [str(path) for path in spec.paths], "multiple": spec.multiple}
    if spec.runner_paths:
        values |= {"runner_paths": list(map(str, spec.runner_paths)), "multiple": spec.multiple}
    return multipart(values, **spec.archives)
