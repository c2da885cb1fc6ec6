"""Who must be allowed what for a task: its owner the function and the data, its worker the models.

Contract 3.6, checks 7, 15, 17 and 21, over every combination of owner, worker and permissions.
"""

import itertools

import pytest

from assets.common.errors import Code, Problem, Refused
from assets.compute.inputs import InputRef, grouped
from assets.compute.models import Task
from assets.compute.registration import register_tasks
from assets.compute.specs import OutputSpec
from assets.permissions.specs import PermissionsSpec
from tests import builders
from tests.properties.helpers import rolled_back

pytestmark = pytest.mark.django_db

A, B, C = "MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"
# Of an asset of A: the organisations it names besides A, or all.
PERMISSIONS = {
    "public": PermissionsSpec(True),
    "private": PermissionsSpec(),
    "for B": PermissionsSpec(False, (B,)),
    "for C": PermissionsSpec(False, (C,)),
    "for B and C": PermissionsSpec(False, (B, C)),
}
ONE_MODEL = builders.FunctionInputSpec("one", "ASSET_MODEL")
PAIRS = list(itertools.product((A, B, C), repeat=2))


@pytest.fixture
def members(alice, bob, carol):
    return {user.organization_id: user for user in (alice, bob, carol)}


@pytest.fixture
def plans(members):
    return {owner: builders.make_plan(user).key for owner, user in members.items()}


def may(organization: str, permissions: PermissionsSpec) -> bool:
    return organization == A or permissions.allows(organization)


def refused_fields(spec, actor) -> list[str]:
    """Register the task; return the fields of which it is forbidden, none when it is accepted."""
    with rolled_back():
        problems: list[Problem] = []
        try:
            register_tasks([spec], actor)
        except Refused as refusal:
            problems = refusal.problems
        assert {problem.code for problem in problems} <= {Code.FORBIDDEN}
        assert Task.objects.filter(pk=spec.key).exists() == (not problems)
        return sorted(problem.field.partition(".")[2] for problem in problems)


@pytest.mark.parametrize(("owner", "worker"), PAIRS)
def test_the_owner_may_run_the_function(alice, members, plans, owner, worker):
    """7: whoever the worker is."""
    for permissions in PERMISSIONS.values():
        function = builders.make_function(alice, inputs=(), permissions=permissions)
        spec = builders.aggregate_task(function, worker, compute_plan_key=plans[owner])
        expected = [] if may(owner, permissions) else ["function_key"]
        assert refused_fields(spec, members[owner]) == expected


@pytest.mark.parametrize("owner", [A, B, C])
def test_the_owner_may_use_the_data(alice, members, plans, owner):
    """15: the worker is the owner of the data anyway."""
    function = builders.make_function(alice, permissions=builders.PUBLIC)
    for permissions in PERMISSIONS.values():
        dataset = builders.make_dataset(alice, permissions=permissions)
        samples = builders.make_samples(alice, dataset.key)
        spec = builders.training_task(dataset, samples, function, compute_plan_key=plans[owner])
        field = "inputs[0].asset_key"
        expected = [] if may(owner, permissions) else [field]
        assert refused_fields(spec, members[owner]) == expected


@pytest.fixture
def making(alice):
    """A function of A that makes a model from nothing, and one that takes one; for everybody."""
    make = builders.make_function(alice, inputs=(), permissions=builders.PUBLIC)
    take = builders.make_function(alice, inputs=(ONE_MODEL,), permissions=builders.PUBLIC)
    return make, take


@pytest.mark.parametrize(("owner", "worker"), PAIRS)
def test_the_worker_may_use_the_parent_s_output(alice, members, plans, making, owner, worker):
    """21: whoever owns the task; the parent's permissions are those of its output."""
    make, take = making
    for permissions in PERMISSIONS.values():
        outputs = {"model": OutputSpec(permissions)}
        parent = builders.aggregate_task(make, A, outputs=outputs, compute_plan_key=plans[A])
        register_tasks([parent], alice)
        child = builders.aggregate_task(
            take,
            worker,
            inputs=grouped([builders.child_input(parent, "one")]),
            compute_plan_key=plans[owner],
        )
        field = "inputs[0].parent_task_output_identifier"
        expected = [] if may(worker, permissions) else [field]
        assert refused_fields(child, members[owner]) == expected


@pytest.mark.parametrize(("owner", "worker"), PAIRS)
def test_the_worker_may_use_the_model(alice, members, plans, making, owner, worker):
    """17: a model that is named by its key, of a task of whichever plan."""
    make, take = making
    parent = builders.aggregate_task(make, A, compute_plan_key=plans[A])
    register_tasks([parent], alice)
    for permissions in PERMISSIONS.values():
        model = builders.make_model(parent.key, permissions=permissions)
        spec = builders.aggregate_task(
            take,
            worker,
            inputs=grouped([InputRef("one", model.key)]),
            compute_plan_key=plans[owner],
        )
        expected = [] if may(worker, permissions) else ["inputs[0].asset_key"]
        assert refused_fields(spec, members[owner]) == expected


def test_the_output_belongs_to_the_task_s_owner_as_well(members, plans, making):
    """Whoever registers a task may use what it makes, also when somebody else computes it."""
    make, take = making
    outputs = {"model": OutputSpec(PermissionsSpec())}
    parent = builders.aggregate_task(make, C, outputs=outputs, compute_plan_key=plans[B])
    register_tasks([parent], members[B])
    for worker, allowed in ((A, False), (B, True), (C, False)):
        child = builders.aggregate_task(
            take,
            worker,
            inputs=grouped([builders.child_input(parent, "one")]),
            compute_plan_key=plans[B],
        )
        assert (refused_fields(child, members[B]) == []) == allowed


@pytest.mark.parametrize("owner", [A, B, C])
def test_everything_that_is_forbidden_is_listed_at_once(alice, members, plans, owner):
    for permissions in PERMISSIONS.values():
        dataset = builders.make_dataset(alice, permissions=permissions)
        samples = builders.make_samples(alice, dataset.key)
        function = builders.make_function(alice, permissions=permissions)
        spec = builders.training_task(dataset, samples, function, compute_plan_key=plans[owner])
        forbidden = ["function_key", "inputs[0].asset_key"]
        expected = [] if may(owner, permissions) else forbidden
        assert refused_fields(spec, members[owner]) == expected
