"""Assets of A, one of every kind, all with the same permissions; and everybody who may ask."""

from dataclasses import dataclass

from assets.accounts.models import User
from assets.compute.models import ComputePlan, Model, Task
from assets.compute.statuses import TaskStatus
from assets.datasets.models import DataSample, Dataset
from assets.execution.models import Trial
from assets.functions.models import Function
from assets.permissions.specs import PermissionsSpec
from tests import builders

VISIBILITIES = {
    "public": PermissionsSpec(public=True),
    "shared": PermissionsSpec(False, ("MyOrg2MSP",)),
    "private": PermissionsSpec(),
}
MODEL, LOGS, FUNCTION_LOGS = b"weights", "Échec\n".encode(), b"no space left on device\n"


@dataclass(frozen=True)
class Assets:
    """What one visibility has."""

    permissions: PermissionsSpec
    dataset: Dataset
    sample: DataSample
    sample_at_runner: DataSample
    function: Function
    plan: ComputePlan
    done: Task
    failed: Task
    model: Model
    trial: Trial


def make_assets(alice: User, permissions: PermissionsSpec) -> Assets:
    """Register assets of A: a plan with a task that made a model, and one that failed."""
    dataset = builders.make_dataset(alice, permissions=permissions, logs_permission=permissions)
    samples = builders.make_samples(alice, dataset.key)
    [at_runner] = builders.make_samples_at_runner(alice, dataset.key, paths=[str(dataset.key)])
    function = builders.make_function(alice, permissions=permissions)
    outputs = {"model": builders.OutputSpec(permissions)}
    specs = [builders.training_task(dataset, samples, function, outputs=outputs) for _ in range(2)]
    plan = builders.make_plan(alice, *specs)
    done, failed = (Task.objects.get(pk=spec.key) for spec in specs)
    builders.set_status([done.key], TaskStatus.DONE)
    builders.set_status([failed.key], TaskStatus.FAILED)
    builders.make_failure(LOGS, task_id=failed.key)
    builders.make_failure(FUNCTION_LOGS, function_id=function.key)
    model = builders.make_model(done.key, content=MODEL, permissions=permissions)
    trial = Trial.objects.create(
        organization=alice.organization, function=function, dataset=dataset, creator=alice
    )
    return Assets(
        permissions, dataset, samples[0], at_runner, function, plan, done, failed, model, trial
    )
