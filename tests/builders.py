"""Legal specs to begin from, and assets registered from them.

Every builder makes what `registration` accepts; a test changes the one thing that it is about::

    spec = dataset_spec(name="")
    make_dataset(alice, permissions=PUBLIC)
"""

import io
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from django.core.files.base import ContentFile

from assets.compute import registration as compute
from assets.compute.models import ComputePlan, Task
from assets.compute.specs import ComputePlanSpec, InputRef, OutputSpec, TaskSpec
from assets.datasets import registration as datasets
from assets.datasets.models import DataSample, Dataset
from assets.datasets.specs import DatasetSpec, DataSampleSpec
from assets.functions import registration as functions
from assets.functions.models import Function
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec, FunctionSpec
from assets.organizations.models import User
from assets.permissions.specs import PermissionsSpec

PUBLIC = PermissionsSpec(public=True)
PRIVATE = PermissionsSpec()

OPENER = b"import substratools\n\n\nclass Opener(substratools.Opener):\n    ...\n"
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
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
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
        "inputs": (
            InputRef("opener", dataset.key),
            *(InputRef("datasamples", sample.key) for sample in samples),
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
        "inputs": tuple(child_input(parent, "models") for parent in parents),
        "outputs": {"model": OutputSpec(PRIVATE)},
    }
    return TaskSpec(**{**values, **changes})


def make_plan(actor: User, *tasks: TaskSpec, **changes: Any) -> ComputePlan:
    values = {"key": uuid4(), "name": "Study", "tag": "first", "metadata": {}, "tasks": tasks}
    return compute.register_compute_plan(ComputePlanSpec(**{**values, **changes}), actor)


def wire_permissions(permissions: PermissionsSpec) -> dict[str, Any]:
    return {"public": permissions.public, "authorized_ids": list(permissions.authorized_ids)}


def wire_task(spec: TaskSpec, plan_key: UUID | None = None) -> dict[str, Any]:
    """A task as the SDK's bulk_create sends it, explicit nulls included."""
    return {
        "key": str(spec.key),
        "compute_plan_key": str(plan_key or spec.compute_plan_key),
        "function_key": str(spec.function_key),
        "worker": spec.worker,
        "tag": spec.tag or None,
        "metadata": dict(spec.metadata) or None,
        "rank": None,
        "inputs": [
            {
                "identifier": ref.identifier,
                "asset_key": ref.asset_key and str(ref.asset_key),
                "parent_task_key": ref.parent_task_key and str(ref.parent_task_key),
                "parent_task_output_identifier": ref.parent_task_output_identifier,
            }
            for ref in spec.inputs
        ],
        "outputs": {
            identifier: {
                "permissions": wire_permissions(output.permissions),
                "transient": output.transient,
            }
            for identifier, output in spec.outputs.items()
        },
    }
