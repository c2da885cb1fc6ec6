"""As many statements for one as for hundreds, all the way from the request to the answer."""

import json
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from assets.compute.inputs import grouped
from assets.compute.specs import OutputSpec
from assets.datasets.specs import DataSampleSpec
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec
from tests.builders import (
    child_input,
    dataset_spec,
    function_spec,
    make_dataset,
    make_function,
    make_samples,
    only_to,
    plan_spec,
    training_task,
    upload,
    wire_dataset,
    wire_function,
    wire_plan,
    zip_of,
)

from .interfaces import ApiInterface
from .requests import Link, Tasks
from .world import B

pytestmark = pytest.mark.postgresql


def _tasks(world, count: int, **changes):
    """Half of them roots, the others their children; outputs with two different permissions."""
    changes = {"compute_plan_key": world.plan.key, **changes}
    roots = [
        world.task(metadata={"n": str(n)}, outputs={"model": OutputSpec(only_to(B))}, **changes)
        for n in range(count // 2)
    ]
    children = [world.child(root, world.parent, **changes) for root in roots]
    return [*children, *roots]


def _of_their_own(world, count):
    """Tasks each with a function, a dataset, samples and parents that no other has."""
    specs = []
    for n in range(count):
        dataset = make_dataset(world.alice, permissions=only_to(B), logs_permission=only_to(B))
        samples = make_samples(world.alice, dataset.key)
        function = make_function(world.alice, name=f"f{n}")
        parent = world.registered(world.task())
        task = training_task(dataset, samples, function, compute_plan_key=world.plan.key)
        specs.append(replace(task, inputs=grouped([*task.refs, child_input(parent)])))
    return Tasks(specs)


def _plan(world, count):
    return plan_spec(tasks=_tasks(world, count, compute_plan_key=None))


def _batch(world, count):
    return Tasks(_tasks(world, count))


def _samples(world, count):
    archives = {f"part{n}": upload(zip_of({"a": b"%d" % n})) for n in range(count)}
    return DataSampleSpec([world.dataset.key, world.other_dataset.key], archives)


def _links(world, count):
    samples = make_samples(world.alice, world.dataset.key, count=count)
    return Link([world.other_dataset.key], [sample.key for sample in samples])


def _to_datasets(world, count):
    keys = [make_dataset(world.alice).key for _ in range(count)]
    return Link(keys, [world.samples[0].key])


def _function(world, count):
    names = [f"slot{n}" for n in range(count)]
    return function_spec(
        inputs=[FunctionInputSpec(name, "ASSET_MODEL") for name in names],
        outputs=[FunctionOutputSpec(name, "ASSET_MODEL") for name in names],
    )


LOADS = {
    "a plan with tasks": (_plan, 2, 300),
    "a batch of tasks": (_batch, 2, 300),
    "tasks with everything of their own": (_of_their_own, 1, 30),
    "data samples": (_samples, 1, 50),
    "links of samples": (_links, 1, 50),
    "links to datasets": (_to_datasets, 1, 50),
    "a function's inputs and outputs": (_function, 1, 50),
}


@pytest.mark.parametrize(("build", "few", "many"), LOADS.values(), ids=LOADS)
def test_statements(build, few, many, world, client_of, django_assert_num_queries):
    interface, client = ApiInterface(client_of), client_of(world.alice)
    # Permissions are interned once; what they cost the first time is not what is measured.
    assert interface.post(build(world, few), client).status_code < 300
    requests = build(world, few), build(world, many)
    with CaptureQueriesContext(connection) as captured:
        assert interface.post(requests[0], client).status_code < 300
    with django_assert_num_queries(len(captured)):
        assert interface.post(requests[1], client).status_code < 300


def test_statements_of_a_retry(world, client_of, django_assert_num_queries):
    """The SDK sends the tasks of a plan twice."""
    client = client_of(world.alice)
    bodies = [json.dumps(wire_plan(_plan(world, count))) for count in (2, 300)]

    def post(body):
        answer = client.post("/api/compute_plan/", body, content_type="application/json")
        assert answer.status_code == 201

    for body in bodies:
        post(body)
    with CaptureQueriesContext(connection) as captured:
        post(bodies[0])
    with django_assert_num_queries(len(captured)):
        post(bodies[1])


def test_statements_of_a_refusal(world, client_of, django_assert_num_queries):
    """What is wrong with 300 tasks is found with as many statements as what is with 2."""
    interface, client = ApiInterface(client_of), client_of(world.alice)

    def bad(count):
        return Tasks([world.task(worker=B, metadata={"a": "b"}) for _ in range(count)])

    requests = bad(2), bad(300)
    with CaptureQueriesContext(connection) as captured:
        assert interface.post(requests[0], client).status_code == 400
    with django_assert_num_queries(len(captured)):
        assert interface.post(requests[1], client).status_code == 400


@pytest.mark.parametrize(
    ("path", "build", "count"),
    [
        ("data_manager", lambda: wire_dataset(dataset_spec()), 8),
        ("function", lambda: wire_function(function_spec()), 10),
    ],
)
def test_statements_of_one(
    path,
    build,
    count,
    world,
    client_of,
    django_assert_num_queries,
    django_capture_on_commit_callbacks,
):
    """The token, the place of its files, the permissions, what is inserted, and the answer.

    Two are the savepoint that its transaction is in a test.
    """
    client = client_of(world.alice)

    def post():
        assert client.post(f"/api/{path}/", build()).status_code == 201

    # The first one announces the place of the second one.
    with django_capture_on_commit_callbacks(execute=True):
        post()
    with django_assert_num_queries(count):
        post()
