"""Each kind of registration that writes files, rows or both: what is called, and how many files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from assets.compute.inputs import grouped
from assets.datasets import registration as datasets
from assets.datasets.specs import DataSampleSpec
from assets.functions import registration as functions
from tests import builders


@dataclass(frozen=True)
class Registration:
    """`prepare(alice)` makes what is needed and returns what registers, given an actor."""

    prepare: Callable[[Any], Callable[[Any], object]]
    files: int


def _dataset(alice):
    return lambda actor: datasets.register_dataset(builders.dataset_spec(), actor)


def _function(alice):
    return lambda actor: functions.register_function(builders.function_spec(), actor)


def _samples(alice):
    dataset = builders.make_dataset(alice)
    data = [builders.zip_of({"data.csv": b"%d" % n}) for n in range(3)]

    def register(actor):
        archives = {f"part{n}": builders.upload(content) for n, content in enumerate(data)}
        return datasets.register_data_samples(DataSampleSpec([dataset.key], archives), actor)

    return register


def _plan(alice):
    dataset, function = builders.make_dataset(alice), builders.make_function(alice)
    samples = builders.make_samples(alice, dataset.key)

    def register(actor):
        task = builders.training_task(dataset, samples, function)
        child = builders.training_task(
            dataset, samples, function, inputs=grouped([*task.refs, builders.child_input(task)])
        )
        return builders.make_plan(actor, task, child)

    return register


REGISTRATIONS = {
    "dataset": Registration(_dataset, files=2),
    "function": Registration(_function, files=2),
    "data samples": Registration(_samples, files=3),
    "plan with tasks": Registration(_plan, files=0),
}
WITH_FILES = {name: item for name, item in REGISTRATIONS.items() if item.files}
