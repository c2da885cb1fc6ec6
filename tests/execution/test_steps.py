"""How long steps took: who reports it, and what stands. Contract 2.5 and 2.12."""

import pytest

from assets.accounts.models import User
from assets.common.audit import Agent
from assets.common.errors import Refused
from assets.compute.models import ProfilingStep, Task
from assets.compute.registration import report_steps
from assets.compute.specs import OutputSpec
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

RUNNER = Agent("MyOrg1MSP", "runner of the ward")
STEPS = {"prepare_inputs": 1200, "task_execution": 3_000_000}


@pytest.fixture
def function(alice):
    return builders.make_function(alice, inputs=(), outputs=(builders.PERFORMANCE_OUTPUT,))


def make_task(alice, function) -> Task:
    outputs = {builders.PERFORMANCE_OUTPUT.identifier: OutputSpec(builders.PUBLIC)}
    spec = builders.aggregate_task(function, alice.organization_id, outputs=outputs)
    return builders.make_plan(alice, spec).tasks.get()


@pytest.fixture
def task(alice, function):
    return make_task(alice, function)


def steps_of(asset) -> dict[str, int]:
    return dict(asset.steps.values_list("step", "duration"))


def test_steps_of_a_task(task):
    report_steps(task, STEPS, RUNNER)
    report_steps(task, {"save_outputs": 0}, RUNNER)
    report_steps(task, {}, RUNNER)
    assert steps_of(task) == {**STEPS, "save_outputs": 0}


def test_steps_of_a_function(function):
    report_steps(function, {"build_image": 5, "save_function": 6}, RUNNER)
    assert steps_of(function) == {"build_image": 5, "save_function": 6}


def test_the_last_value_stands(task):
    report_steps(task, STEPS, RUNNER)
    report_steps(task, {"prepare_inputs": 7, "save_outputs": 8}, RUNNER)
    assert steps_of(task) == {**STEPS, "prepare_inputs": 7, "save_outputs": 8}


def test_steps_of_others_stay(alice, task, function):
    other = make_task(alice, function)
    report_steps(other, STEPS, RUNNER)
    report_steps(task, {"prepare_inputs": 7}, RUNNER)
    assert steps_of(other) == STEPS


@pytest.mark.parametrize(
    ("steps", "field"),
    [
        ({"build_image": 1}, "step"),
        ({"": 1}, "step"),
        ({**STEPS, "unknown": 1}, "step"),
        ({"prepare_inputs": -1}, "duration"),
        ({"prepare_inputs": 2**63}, "duration"),
    ],
    ids=str,
)
def test_what_is_no_step(task, steps, field):
    with pytest.raises(Refused) as refused:
        report_steps(task, steps, RUNNER)
    assert (refused.value.status, refused.value.first.field) == (400, field)
    assert not ProfilingStep.objects.exists()


def test_steps_of_tasks_are_none_of_functions(function):
    with pytest.raises(Refused, match="build_image, save_function"):
        report_steps(function, STEPS, RUNNER)


@pytest.mark.parametrize(
    ("who", "may"),
    [("alice", True), ("ada", True), ("victor", False), ("bob", False), ("root", False)],
)
def test_who_reports(task, function, who, may):
    user = User.objects.get(username=who)
    for asset, step in ((task, "prepare_inputs"), (function, "build_image")):
        if may:
            report_steps(asset, {step: 1}, user)
            continue
        with pytest.raises(Refused, match="only runners of MyOrg1MSP") as refused:
            report_steps(asset, {step: 1}, user)
        assert refused.value.status == 403
    assert ProfilingStep.objects.count() == 2 * may


def test_runners_of_others_report_nothing(task):
    with pytest.raises(Refused):
        report_steps(task, STEPS, Agent("MyOrg2MSP", "runner of the ward"))


def test_as_many_statements_for_one_step_as_for_all(task, django_assert_num_queries):
    task = Task.objects.get(pk=task.pk)
    more = {**STEPS, "save_outputs": 1, "download_function": 2}
    # The second time, one of them is known.
    for steps, statements in (({"prepare_inputs": 1}, 1), (more, 2)):
        with django_assert_num_queries(statements):
            report_steps(task, steps, RUNNER)
