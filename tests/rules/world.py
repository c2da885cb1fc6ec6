"""The small world that cases happen in: each thing is made when a case first asks for it.

Everything is legal and Alice's (MyOrg1MSP) unless its name says otherwise, so that a case differs
from what is accepted by the one thing that it is about.
"""

from functools import cached_property
from typing import Any
from uuid import UUID

from assets.accounts.models import User
from assets.compute.inputs import InputRef
from assets.compute.models import ComputePlan, Model
from assets.compute.specs import OutputSpec, TaskSpec
from assets.compute.statuses import TaskStatus
from assets.datasets.models import DataSample, Dataset
from assets.datasets.specs import DataSampleSpec
from assets.functions.models import Function, FunctionStatus
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec
from assets.permissions.specs import PermissionsSpec
from tests import builders
from tests.builders import PRIVATE, PUBLIC
from tests.cast import USERS

A, B, C = "MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"

ONE_MODEL = FunctionInputSpec("one", "ASSET_MODEL")


class World:
    def __init__(self, users: dict[str, User]) -> None:
        self.users = users

    @property
    def alice(self) -> User:
        return self.users["alice"]

    @property
    def bob(self) -> User:
        return self.users["bob"]

    # --- Data ---

    @cached_property
    def dataset(self) -> Dataset:
        return builders.make_dataset(self.alice)

    @cached_property
    def samples(self) -> list[DataSample]:
        return builders.make_samples(self.alice, self.dataset.key, count=2)

    @cached_property
    def other_dataset(self) -> Dataset:
        return builders.make_dataset(self.alice, name="Scans")

    @cached_property
    def other_sample(self) -> DataSample:
        """A sample of the other dataset only."""
        return builders.make_samples(self.alice, self.other_dataset.key)[0]

    def samples_spec(self, count: int) -> DataSampleSpec:
        """A legal spec of samples of the dataset."""
        contents = [builders.zip_of({"data.csv": b"%d" % n}) for n in range(count)]
        archives = {f"part{n}": builders.upload(data) for n, data in enumerate(contents)}
        return DataSampleSpec([self.dataset.key], archives)

    def bobs_dataset(self, permissions: PermissionsSpec = PRIVATE) -> Dataset:
        return builders.make_dataset(self.bob, permissions=permissions)

    @cached_property
    def bobs_sample(self) -> DataSample:
        return builders.make_samples(self.bob, self.bobs_dataset().key)[0]

    # --- Functions ---

    @cached_property
    def train(self) -> Function:
        """Takes an opener, samples and perhaps a model; makes a model."""
        return builders.make_function(self.alice)

    @cached_property
    def aggregate(self) -> Function:
        """Takes any number of models; makes a model."""
        return builders.make_aggregate(self.alice)

    @cached_property
    def refine(self) -> Function:
        """Takes exactly one model; makes a model."""
        return builders.make_aggregate(self.alice, inputs=(ONE_MODEL,))

    def making(self, *outputs: FunctionOutputSpec) -> Function:
        """A function that takes nothing, with these outputs."""
        return builders.make_function(self.alice, inputs=(), outputs=outputs)

    # --- Plans and tasks ---

    @cached_property
    def plan(self) -> ComputePlan:
        return builders.make_plan(self.alice)

    def task(self, **changes) -> TaskSpec:
        """A legal task of `train`."""
        return builders.training_task(
            self.dataset, self.samples, self.train, **self._in_the_plan(changes)
        )

    def child(self, *parents: TaskSpec, worker: str = A, **changes) -> TaskSpec:
        """A legal task of `aggregate` below the parents."""
        return builders.aggregate_task(
            self.aggregate, worker, *parents, **self._in_the_plan(changes)
        )

    def simple(self, function: Function, **changes) -> TaskSpec:
        """A task of a function that takes nothing, with an output of each that it makes."""
        outputs = {output.identifier: OutputSpec(PUBLIC) for output in function.outputs.all()}
        return builders.aggregate_task(
            function, A, **self._in_the_plan({"outputs": outputs, **changes})
        )

    def _in_the_plan(self, changes: dict[str, Any]) -> dict[str, Any]:
        """Put a task into the plan, unless the changes say where it belongs."""
        return (
            changes
            if "compute_plan_key" in changes
            else {"compute_plan_key": self.plan.key, **changes}
        )

    @cached_property
    def parent(self) -> TaskSpec:
        """A task that is registered, in a plan of its own."""
        return self.registered(self.task(compute_plan_key=None))

    def registered(self, *specs: TaskSpec) -> TaskSpec:
        """Register the tasks in a plan of their own; return the first."""
        for spec in specs:
            spec.compute_plan_key = None
        plan = builders.make_plan(self.alice, *specs)
        for spec in specs:
            spec.compute_plan_key = plan.key
        return specs[0]

    def model(self, permissions: PermissionsSpec = PRIVATE, content: bytes = b"w") -> Model:
        return builders.make_model(self.parent.key, permissions=permissions, content=content)

    def plan_whose_task(self, function_status: FunctionStatus) -> ComputePlan:
        """A plan with one task, of a function in this status."""
        function = self.making(builders.MODEL_OUTPUT)
        set_function_status(function, function_status)
        return builders.make_plan(self.alice, self.simple(function, compute_plan_key=None))

    def finish(self, *keys: UUID) -> None:
        builders.set_status(keys, TaskStatus.DONE)


def world_of_cast() -> World:
    """Return a world of the users that every test has."""
    users = User.objects.select_related("organization").filter(username__in=(*USERS, "root"))
    return World({user.username: user for user in users})


def set_function_status(function: Function, status: FunctionStatus) -> None:
    """Put a function into a status, as a builder would."""
    Function.objects.filter(pk=function.pk).update(status=status)


def model_ref(identifier: str, key: UUID) -> InputRef:
    return InputRef(identifier, asset_key=key)


def parent_ref(identifier: str, key: UUID, output: str = "model") -> InputRef:
    return InputRef(identifier, None, key, output)
