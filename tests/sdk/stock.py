"""The assets that tests of plans and tasks begin from, registered once for each SDK."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from .specs import AGGREGATE, PRIVATE, PUBLIC, SCORE, Spec, Specs, output_of

if TYPE_CHECKING:
    from .sdk import Client


class Stock:
    """Alice's public dataset with two samples, her public functions, and tasks of them."""

    def __init__(self, alice: Client, specs: Specs) -> None:
        self._alice, self._specs = alice, specs

    @cached_property
    def dataset(self) -> str:
        return self._alice.add_dataset(self._specs.dataset())

    @cached_property
    def samples(self) -> list[str]:
        return [self._alice.add_data_sample(self._specs.sample(self.dataset)) for _ in range(2)]

    @cached_property
    def train(self) -> str:
        """Takes the dataset, samples and perhaps a model; makes a model."""
        return self._alice.add_function(self._specs.function())

    @cached_property
    def aggregate(self) -> str:
        """Takes any number of models, also none; makes a model."""
        return self._alice.add_function(self._specs.function(name="Aggregate", **AGGREGATE))

    @cached_property
    def score(self) -> str:
        """Takes the dataset, samples and perhaps a model; makes a performance."""
        return self._alice.add_function(self._specs.function(name="Score", **SCORE))

    @cached_property
    def described(self) -> tuple[str, str]:
        """The keys of a plan with metadata and of its task with the same; another task has none."""
        metadata = {"disease name": "Heart failure", "ward": "7"}
        task = self.training(metadata=metadata)
        spec = self._specs.plan(task, self.training(), metadata=metadata)
        return self._alice.add_compute_plan(spec)["key"], task["task_id"]

    @property
    def data(self) -> list[Spec]:
        """The inputs that name the dataset and its samples."""
        return [
            {"identifier": "opener", "asset_key": self.dataset},
            *({"identifier": "datasamples", "asset_key": key} for key in self.samples),
        ]

    def training(self, *parents: Spec, **changes: Any) -> Spec:
        """A task that trains on all data, from its parents' models if it has any."""
        inputs = [*self.data, *map(output_of, parents)]
        return _task(self.train, inputs, "model", PRIVATE, changes)

    def aggregating(self, *parents: Spec, **changes: Any) -> Spec:
        """A task that aggregates its parents' models."""
        inputs = [output_of(parent, "models") for parent in parents]
        return _task(self.aggregate, inputs, "model", PRIVATE, changes)

    def scoring(self, *parents: Spec, **changes: Any) -> Spec:
        """A task that measures its parent's model."""
        inputs = [*self.data, *map(output_of, parents)]
        return _task(self.score, inputs, "performance", PUBLIC, changes)


def _task(function: str, inputs: list[Spec], output: str, permissions: Spec, changes: Spec) -> Spec:
    values = {
        "task_id": str(uuid4()),
        "function_key": function,
        "worker": "MyOrg1MSP",
        "inputs": inputs,
        "outputs": {output: {"permissions": permissions, "is_transient": False}},
    }
    return {**values, **changes}
