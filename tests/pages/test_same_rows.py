"""What is registered through a page is the same, row by row, as what the API registers."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import models

from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan, Task, TaskInput, TaskOutput
from assets.datasets.models import DataSample, DataSampleLink, Dataset
from assets.datasets.specs import DataSampleSpec
from assets.feed.models import Event
from assets.functions.models import Function, FunctionInput, FunctionOutput
from assets.functions.specs import FunctionInputSpec
from tests.builders import (
    PERFORMANCE_OUTPUT,
    PUBLIC,
    child_input,
    dataset_spec,
    function_spec,
    make_dataset,
    make_samples,
    only_to,
    plan_spec,
    upload,
    zip_of,
)
from tests.rules.interfaces import ApiInterface
from tests.rules.requests import Link, Rename, Request, Tasks
from tests.rules.world import B, World

# What differs between two registrations of the same: keys and moments, and names of files,
# which hold keys.
OWN = {"id", "key", "creation_date", "timestamp", "opener", "description", "archive", "digest"}
OWN |= {"asset_key", "start_date", "end_date", "preferences", "last_login"}
KINDS = (Dataset, DataSample, DataSampleLink, Function, FunctionInput, FunctionOutput)
KINDS += (ComputePlan, Task, TaskInput, TaskOutput, Event)


def _dataset(world: World) -> Request:
    return dataset_spec(
        name="Blöd counts", permissions=PUBLIC, logs_permission=only_to(B), metadata={"a b": "ü"}
    )


def _samples(world: World) -> Request:
    archives = {f"s{n}.zip": upload(zip_of({"a.csv": b"%d" % n}), f"s{n}.zip") for n in range(3)}
    return DataSampleSpec([world.dataset.key], archives)


def _function(world: World) -> Request:
    return function_spec(
        permissions=only_to(B),
        metadata={"version": "1"},
        inputs=(
            FunctionInputSpec("opener", "ASSET_DATA_MANAGER"),
            FunctionInputSpec("datasamples", "ASSET_DATA_SAMPLE", multiple=True),
            FunctionInputSpec("models", "ASSET_MODEL", multiple=True, optional=True),
        ),
        outputs=(PERFORMANCE_OUTPUT,),
    )


def _tasks(world: World, **changes: Any) -> list[Any]:
    first = world.task(tag="first", metadata={"round_idx": "1"}, **changes)
    second = world.task(**changes)
    second.inputs = grouped([*second.refs, child_input(first)])
    return [first, second]


def _plan(world: World) -> Request:
    return plan_spec(metadata={"a": "1"}, tasks=_tasks(world, compute_plan_key=None))


def _more_tasks(world: World) -> Request:
    return Tasks(_tasks(world))


def _rename(world: World) -> Request:
    return Rename(make_dataset(world.alice), "Another name")


def _link(world: World) -> Request:
    (sample,) = make_samples(world.alice, world.dataset.key)
    return Link([world.other_dataset.key], [sample.key])


BUILDERS: dict[str, Callable[[World], Request]] = {
    "dataset": _dataset,
    "samples": _samples,
    "function": _function,
    "plan": _plan,
    "tasks": _more_tasks,
    "name": _rename,
    "links": _link,
}


def _rows(kind: type[models.Model]) -> models.QuerySet:
    # Of events only what happened to assets: who uses pages signs in, who uses the API does not.
    rows = kind._default_manager.order_by("pk")
    return rows.filter(public=True) if kind is Event else rows


def _snapshot() -> dict[type[models.Model], set[Any]]:
    return {kind: set(_rows(kind).values_list("pk", flat=True)) for kind in KINDS}


def _new_rows(before: dict[type[models.Model], set[Any]]) -> dict[str, list[str]]:
    """Return what was added, without what is each registration's own, in an order of its own."""
    return {
        kind.__name__: sorted(
            repr(dict(_values(row))) for row in _rows(kind).exclude(pk__in=before[kind])
        )
        for kind in KINDS
    }


def _values(row: models.Model) -> Iterator[tuple[str, Any]]:
    for field in row._meta.concrete_fields:
        # Rows that are new themselves differ by nothing but keys.
        if field.name in OWN or (field.is_relation and field.related_model in KINDS):
            continue
        yield field.attname, getattr(row, field.attname)


@pytest.mark.parametrize("build", BUILDERS.values(), ids=BUILDERS)
def test_the_page_registers_what_the_api_does(build, pages, client_of, world):
    # Registered before both.
    assert all((world.dataset, world.samples, world.plan, world.other_dataset))
    found = []
    for send in (ApiInterface(client_of).send, pages.send):
        request = build(world)
        before = _snapshot()
        outcome = send(world.alice, request)
        assert getattr(outcome, "accepted", True), outcome
        assert not getattr(outcome, "problems", ()), outcome
        found.append(_new_rows(before))
    by_api, by_page = found
    assert any(by_api.values())
    assert by_page == by_api


def test_a_difference_is_found(pages, client_of, world):
    """Or else the test above could not fail."""
    before = _snapshot()
    ApiInterface(client_of).send(world.alice, dataset_spec(name="One"))
    one = _new_rows(before)
    before = _snapshot()
    pages.send(world.alice, dataset_spec(name="Another", metadata={str(uuid4()): "1"}))
    assert _new_rows(before) != one
