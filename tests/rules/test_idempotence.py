"""Registering again what exists: the same is a success, anything else a conflict. Decision 3."""

from dataclasses import replace

import pytest

from assets.common.errors import Code
from assets.compute import registration
from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan, Task
from assets.compute.specs import OutputSpec
from tests.builders import (
    PERFORMANCE_OUTPUT,
    PUBLIC,
    make_plan,
    only_to,
    plan_spec,
    wire_plan,
    wire_plan_task,
    wire_task,
)

from .cases import Case, everything, refused, table, verify
from .requests import Rename, Tasks
from .world import B, parent_ref

pytestmark = pytest.mark.postgresql

# --- The same again ------------------------------------------------------------------------------


def _whole_plan(world):
    first = world.task(compute_plan_key=None, tag="t", metadata={"round_idx": "1", "a": "b"})
    second = world.child(first, compute_plan_key=None)
    return plan_spec(metadata={"x": "1", "y": "2"}, tasks=[first, second])


def test_the_same_plan_again(interface, world):
    spec = _whole_plan(world)
    first = interface.send(world.alice, spec)
    before = everything()
    again = interface.send(world.alice, spec)
    assert not again.problems
    assert everything() == before
    if isinstance(again.answer, dict):
        assert again.answer == first.answer


def test_the_same_batch_again(interface, world):
    specs = [world.task(), world.task()]
    first = interface.send(world.alice, Tasks(specs))
    before = everything()
    again = interface.send(world.alice, Tasks(specs))
    assert not again.problems
    assert everything() == before
    assert again.answer == first.answer


def test_a_colleague_sends_it_again(interface, world):
    spec = _whole_plan(world)
    interface.send(world.alice, spec)
    before = everything()
    assert not interface.send(world.users["ada"], spec).problems
    assert everything() == before


def test_a_batch_of_new_and_registered_tasks(interface, world):
    old = world.task()
    interface.send(world.alice, Tasks([old]))
    new = world.child(old)
    answer = interface.send(world.alice, Tasks([new, old])).answer
    keys = [str(item["key"]) if isinstance(item, dict) else str(item) for item in answer]
    assert keys == [str(old.key), str(new.key)]
    assert set(world.plan.tasks.values_list("key", flat=True)) == {old.key, new.key}


def test_a_plan_again_with_more_tasks(interface, world):
    spec = _whole_plan(world)
    interface.send(world.alice, spec)
    more = world.child(spec.tasks[1], compute_plan_key=None)
    assert not interface.send(world.alice, replace(spec, tasks=[*spec.tasks, more])).problems
    assert Task.objects.filter(compute_plan_id=spec.key).count() == 3


def test_a_plan_again_without_its_tasks(interface, world):
    spec = _whole_plan(world)
    interface.send(world.alice, spec)
    before = everything()
    assert not interface.send(world.alice, replace(spec, tasks=())).problems
    assert everything() == before


def test_the_original_after_a_rename(interface, world):
    spec = _whole_plan(world)
    interface.send(world.alice, spec)
    plan = ComputePlan.objects.get(pk=spec.key)
    interface.send(world.alice, Rename(plan, "Renamed"))
    assert not interface.send(world.alice, spec).problems
    plan.refresh_from_db()
    assert plan.name == "Renamed"


def test_the_same_name_again_is_no_event(interface, world):
    assets = (world.dataset, world.train, world.plan)
    before = everything()
    for asset in assets:
        assert not interface.send(world.alice, Rename(asset, asset.name)).problems
    assert everything() == before


def test_the_same_tasks_again_on_a_plan_that_takes_no_more(interface, world):
    """A retry that arrives after the plan was cancelled is still a retry."""
    spec = _whole_plan(world)
    interface.send(world.alice, spec)
    registration.cancel_compute_plan(spec.key, world.alice)
    before = everything()
    assert not interface.send(world.alice, spec).problems
    assert everything() == before


# Ways to say the same task: changes to its wire form in the batch.
SAME = {
    "explicit nulls": lambda task: task | {"tag": None, "metadata": None, "rank": None},
    "nothing given": lambda task: {
        name: value for name, value in task.items() if name not in ("tag", "metadata", "rank")
    },
    "empty": lambda task: task | {"tag": "", "metadata": {}},
    "another rank": lambda task: task | {"rank": 7},
    "key in upper case": lambda task: task | {"key": task["key"].upper()},
    "key without hyphens": lambda task: task | {"key": task["key"].replace("-", "")},
    "nulls left out of inputs": lambda task: (
        task
        | {
            "inputs": [
                {name: value for name, value in ref.items() if value is not None}
                for ref in task["inputs"]
            ]
        }
    ),
    "no worker, which the dataset shows": lambda task: task | {"worker": ""},
    "organisations in another order": lambda task: _with_output(
        task, {"public": False, "authorized_ids": ["MyOrg2MSP", "MyOrg1MSP"]}
    ),
    "the owner left out": lambda task: _with_output(
        task, {"public": False, "authorized_ids": ["MyOrg2MSP"]}
    ),
    "transient null": lambda task: _with_output(
        task, task["outputs"]["model"]["permissions"], transient=None
    ),
}


def _with_output(task, permissions, **changes):
    output = {**task["outputs"]["model"], "permissions": permissions, **changes}
    return {**task, "outputs": {"model": output}}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_the_same_task_in_other_words(change, world, client_of):
    task = wire_task(world.task(outputs={"model": OutputSpec(only_to("MyOrg1MSP", B))}))
    client = client_of(world.alice)
    first = client.post("/api/task/bulk_create/", {"tasks": [task]}, format="json")
    again = client.post("/api/task/bulk_create/", {"tasks": [change(task)]}, format="json")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()


def test_both_shapes_of_a_task(world, client_of):
    """The SDK posts its tasks with the plan, and then once more as a batch."""
    spec = _whole_plan(world)
    client = client_of(world.alice)
    assert client.post("/api/compute_plan/", wire_plan(spec), format="json").status_code == 201
    before = everything()
    tasks = [wire_task(task, spec.key) for task in spec.tasks]
    answer = client.post("/api/task/bulk_create/", {"tasks": tasks}, format="json")
    assert answer.status_code == 200
    assert [task["key"] for task in answer.json()] == [task["key"] for task in tasks]
    assert everything() == before


def test_batches_take_the_shape_of_plans_too(world, client_of):
    task = world.task()
    client = client_of(world.alice)
    body = {"tasks": [wire_plan_task(task)]}
    assert client.post("/api/task/bulk_create/", body, format="json").status_code == 200
    before = everything()
    body = {"tasks": [wire_task(task)]}
    assert client.post("/api/task/bulk_create/", body, format="json").status_code == 200
    assert everything() == before


def test_transient_in_both_shapes(world, client_of):
    spec = world.task(outputs={"model": OutputSpec(PUBLIC, True)})
    client = client_of(world.alice)
    for task in (wire_plan_task(spec), wire_task(spec)):
        body = {"tasks": [task]}
        answer = client.post("/api/task/bulk_create/", body, format="json").json()
        assert answer[0]["outputs"]["model"]["transient"] is True


# --- Something else under the same key -----------------------------------------------------------


def _again(**changes):
    """A registered task, and the batch that says something else under its key."""

    def build(world):
        task = world.task(tag="t", metadata={"a": "b"})
        registration.register_tasks([task], world.alice)
        return Tasks([replace(task, **{name: make(world) for name, make in changes.items()})])

    return build


def _swapped(world):
    """The samples in another order."""
    opener, first, second = world.task().refs
    return grouped([opener, second, first])


def _conflict(id, build, **options):
    return refused(id, build, Code.CONFLICT, "tasks[0].key", "already exists", **options)


def _output(permissions, **changes):
    return lambda w: {"model": OutputSpec(permissions, **changes)}


CONFLICTS = [
    _conflict("tag", _again(tag=lambda w: "other")),
    _conflict("no tag", _again(tag=lambda w: "")),
    _conflict("metadata", _again(metadata=lambda w: {"a": "c"})),
    _conflict("less metadata", _again(metadata=lambda w: {})),
    _conflict("function", _again(function_key=lambda w: w.aggregate.key)),
    _conflict("worker", _again(worker=lambda w: B)),
    _conflict("plan", _again(compute_plan_key=lambda w: make_plan(w.alice).key)),
    _conflict("inputs", _again(inputs=lambda w: grouped(w.task().refs[:2]))),
    _conflict("order of inputs", _again(inputs=_swapped)),
    _conflict(
        "one input more",
        _again(inputs=lambda w: grouped([*w.task().refs, parent_ref("shared", w.parent.key)])),
    ),
    _conflict("permissions", _again(outputs=_output(only_to(B)))),
    _conflict("public", _again(outputs=_output(PUBLIC))),
    _conflict("transient", _again(outputs=_output(only_to(), transient=True))),
    _conflict("no output", _again(outputs=lambda w: {})),
]


@table(CONFLICTS)
def test_conflict(case: Case, interface, world):
    verify(case, interface, world)


def test_a_conflict_names_the_key(world, client_of):
    batch = _again(tag=lambda w: "other")(world)
    body = {"tasks": [wire_task(spec) for spec in batch.specs]}
    answer = client_of(world.alice).post("/api/task/bulk_create/", body, format="json")
    assert answer.status_code == 409
    assert answer.json()["key"] == str(batch.specs[0].key)


def test_another_owners_task(interface, world):
    """Bob sends Alice's task to a plan of his."""
    task = world.simple(world.making(PERFORMANCE_OUTPUT))
    registration.register_tasks([task], world.alice)
    case = _conflict(
        "another owner",
        lambda w: Tasks([replace(task, compute_plan_key=make_plan(w.bob).key)]),
        by="bob",
    )
    verify(case, interface, world)


def test_another_owners_task_in_the_same_plan(interface, world):
    """Equal in every word, but Alice's: a conflict before it is a question of the plan's owner."""
    task = world.simple(world.making())
    registration.register_tasks([task], world.alice)
    verify(_conflict("same plan", lambda w: Tasks([task]), by="bob"), interface, world)


def test_one_conflict_refuses_the_new_tasks_too(interface, world):
    def build(world):
        changed = _again(tag=lambda w: "other")(world).specs[0]
        return Tasks([world.task(), changed])

    case = refused("mixed", build, Code.CONFLICT, "tasks[1].key", "already exists")
    verify(case, interface, world)


def test_a_plan_under_its_new_name_is_another(interface, world):
    spec = plan_spec()
    interface.send(world.alice, spec)
    interface.send(world.alice, Rename(ComputePlan.objects.get(pk=spec.key), "Renamed"))
    case = refused(
        "renamed", lambda w: replace(spec, name="Renamed"), Code.CONFLICT, "key", "already exists"
    )
    verify(case, interface, world)


def test_a_plan_again_with_a_changed_task(interface, world):
    spec = _whole_plan(world)
    interface.send(world.alice, spec)
    changed = replace(spec, tasks=[spec.tasks[0], replace(spec.tasks[1], tag="other")])
    case = refused("changed", lambda w: changed, Code.CONFLICT, "tasks[1].key", "already exists")
    verify(case, interface, world)
