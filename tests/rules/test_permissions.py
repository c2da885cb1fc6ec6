"""Permissions: what may be given, what is stored, who they allow. Contract 3.2."""

import pytest

from assets.common.errors import Code
from assets.compute.models import Task
from assets.compute.specs import OutputSpec
from assets.datasets.models import Dataset
from assets.permissions.specs import PermissionsSpec
from tests.builders import (
    PERFORMANCE_OUTPUT,
    PRIVATE,
    PUBLIC,
    dataset_spec,
    function_spec,
    make_dataset,
    make_samples,
    only_to,
    training_task,
)

from .cases import Case, accepted, refused, table, verify
from .requests import Tasks
from .world import A, B, C

UNKNOWN = "invalid permission input values"


def _task(world, permissions):
    return Tasks([world.task(outputs={"model": OutputSpec(permissions)})])


# Whatever carries permissions, with the field of a refusal.
CARRIERS = {
    "dataset": (lambda w, given: dataset_spec(permissions=given), "permissions"),
    "dataset's logs": (lambda w, given: dataset_spec(logs_permission=given), "logs_permission"),
    "function": (lambda w, given: function_spec(permissions=given), "permissions"),
    "task's output": (_task, "tasks[0].outputs.model.permissions"),
}
GIVEN = {
    "private to the owner": (PRIVATE, None),
    "public": (PUBLIC, None),
    "to known organisations": (only_to(B, C), None),
    "to the owner itself": (only_to(A), None),
    "an organisation twice": (only_to(B, B), None),
    "to an unknown organisation": (only_to(B, "Unknown"), ".authorized_ids"),
    "an unknown organisation among 100": (
        only_to(*(f"Org{n}" for n in range(100))),
        ".authorized_ids",
    ),
    "blank id": (only_to(""), ".authorized_ids"),
    "public, with an unknown organisation": (PermissionsSpec(True, ("Unknown",)), None),
    "public, 100 organisations": (PermissionsSpec(True, tuple(map(str, range(100)))), None),
    "public, 101 organisations": (PermissionsSpec(True, tuple(map(str, range(101)))), ""),
    "public, an id of 1,024 characters": (PermissionsSpec(True, ("o" * 1024,)), None),
    "public, an id of 1,025 characters": (PermissionsSpec(True, ("o" * 1025,)), ".authorized_ids"),
    "public, a control character": (PermissionsSpec(True, ("a\x00",)), ".authorized_ids"),
}


def _cases():
    for name, (build, field) in CARRIERS.items():
        for id, (given, below) in GIVEN.items():

            def request(world, build=build, given=given):
                return build(world, given)

            if below is None:
                yield accepted(f"{name}: {id}", request)
            else:
                yield refused(
                    f"{name}: {id}", request, Code.BAD_REQUEST, f"{field}{below}", UNKNOWN
                )


@table(_cases())
def test_what_may_be_given(case: Case, interface, world):
    verify(case, interface, world)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        pytest.param(PRIVATE, only_to(A), id="the owner is added"),
        pytest.param(only_to(B), only_to(A, B), id="to others: the owner is added"),
        pytest.param(only_to(C, B, A, B), only_to(A, B, C), id="once each, in one order"),
        pytest.param(PUBLIC, PermissionsSpec(True, (A,)), id="public: the owner is added"),
        pytest.param(
            PermissionsSpec(True, ("Unknown",)),
            PermissionsSpec(True, (A, "Unknown")),
            id="public: others stay listed",
        ),
    ],
)
def test_what_is_kept(given, kept, interface, world, client_of):
    interface.send(world.alice, dataset_spec(permissions=given, logs_permission=given))
    dataset = Dataset.objects.get()
    assert dataset.permissions.value == kept
    assert dataset.logs_permission.value == kept
    wire = {"public": kept.public, "authorized_ids": list(kept.authorized_ids)}
    answer = client_of(world.bob).get(f"/api/data_manager/{dataset.key}/").json()
    assert answer["permissions"] == {"process": wire, "download": wire}
    assert answer["logs_permission"] == wire


def test_equal_permissions_are_one_row(interface, world):
    for given in (only_to(B, C), only_to(C, B), only_to(A, B, C)):
        interface.send(world.alice, dataset_spec(permissions=given))
    assert Dataset.objects.values("permissions").distinct().count() == 1


def test_output_permissions_are_those_of_the_request(interface, world):
    """No intersection with the dataset's or the function's permissions is computed."""
    task = world.task(outputs={"model": OutputSpec(PUBLIC)})
    interface.send(world.alice, Tasks([task]))
    assert Task.objects.get().outputs.get().permissions.value == PermissionsSpec(True, (A,))


# A task's logs: those of its dataset, or else of its owner and of all its parents.


@pytest.mark.parametrize("given", [PRIVATE, only_to(B), PUBLIC], ids=str)
def test_logs_permission_with_a_dataset(given, interface, world):
    dataset = make_dataset(world.alice, logs_permission=given)
    samples = make_samples(world.alice, dataset.key)
    task = training_task(dataset, samples, world.train, compute_plan_key=world.plan.key)
    interface.send(world.alice, Tasks([task]))
    assert Task.objects.get().logs_permission == dataset.logs_permission


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        pytest.param([], only_to(A), id="no parent"),
        pytest.param([PRIVATE], only_to(A), id="a private parent"),
        pytest.param([only_to(B), only_to(C)], only_to(A, B, C), id="two parents"),
        pytest.param([only_to(B), PUBLIC], PUBLIC, id="a public parent: no one is listed"),
    ],
)
def test_logs_permission_without_a_dataset(parents, expected, interface, world):
    specs = []
    for given in parents:
        dataset = make_dataset(world.alice, logs_permission=given)
        samples = make_samples(world.alice, dataset.key)
        spec = training_task(dataset, samples, world.train, compute_plan_key=world.plan.key)
        specs.append(spec)
    child = world.child(*specs) if specs else world.simple(world.making(PERFORMANCE_OUTPUT))
    assert not interface.send(world.alice, Tasks([*specs, child])).problems
    assert Task.objects.get(pk=child.key).logs_permission.value == expected


# Who may use what in a task is among the checks of `test_tasks`. What the functions on the
# values say is a table of its own in the properties' tests.


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        pytest.param(PUBLIC, {A, B, C}, id="public"),
        pytest.param(only_to(A), {A}, id="private"),
        pytest.param(only_to(A, C), {A, C}, id="to two"),
        pytest.param(PermissionsSpec(True, (A,)), {A, B, C}, id="public with a list"),
    ],
)
def test_who_is_allowed(permissions, allowed):
    assert {id for id in (A, B, C) if permissions.allows(id)} == allowed
    assert permissions.allows(None) is permissions.public


def test_the_interned_row_lists_known_organisations_only(interface, world):
    interface.send(world.alice, dataset_spec(permissions=PermissionsSpec(True, ("Unknown", B))))
    row = Dataset.objects.get().permissions
    assert set(row.organizations.values_list("id", flat=True)) == {A, B}
