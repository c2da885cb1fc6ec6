"""Batches of tasks that the checks of contract 3.6 are about: helpers of the tables.

Each case runs as a batch for a plan that exists and, where that makes no difference, with the plan.
"""

from collections.abc import Iterable
from uuid import UUID

import pytest

from assets.compute.inputs import InputRef, grouped
from assets.compute.specs import OutputSpec
from tests.builders import (
    PUBLIC,
    aggregate_task,
    make_function,
    make_plan,
    make_samples,
    plan_spec,
    training_task,
)

from .cases import Case, table
from .requests import Tasks
from .world import B

UNKNOWN_KEY = UUID("00000000-0000-4000-8000-000000000000")


def one(**changes):
    """A batch of one task of `train` with these changes."""
    return lambda world: [world.task(**changes)]


def inputs(make, **changes):
    """A batch of one task of `train` with the inputs that `make` gives."""
    return lambda world: [world.task(inputs=grouped(make(world)), **changes)]


def data(world):
    """The references to the dataset and its samples."""
    return world.task().refs


def feeding(ref: InputRef):
    return inputs(lambda world: [*data(world), ref])


def bobs_parent(world, permissions):
    """Bob's registered task, with a model output under these permissions."""
    function = make_function(world.bob, inputs=(), permissions=PUBLIC)
    task = aggregate_task(function, B, outputs={"model": OutputSpec(permissions)})
    make_plan(world.bob, task)
    return task


def foreign_data(permissions):
    """A task on Bob's dataset under these permissions."""

    def build(world):
        dataset = world.bobs_dataset(permissions)
        samples = make_samples(world.bob, dataset.key)
        return [training_task(dataset, samples, world.train, compute_plan_key=world.plan.key)]

    return build


def with_the_plan(specs):
    """Have the tasks arrive with their plan, which is new."""
    for spec in specs:
        spec.compute_plan_key = None
    return plan_spec(tasks=specs)


def task_table(cases: Iterable[Case]):
    """Run the test for each case, as a batch and with the plan."""
    arrivals = {"as a batch": Tasks, "with the plan": with_the_plan}
    arrive = pytest.mark.parametrize("arrive", arrivals.values(), ids=arrivals)
    return lambda test: arrive(table(cases)(test))
