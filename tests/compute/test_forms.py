"""The forms that register compute plans and tasks."""

import json
from uuid import UUID, uuid4

import pytest

from assets.compute.forms import TaskForm
from assets.compute.models import ComputePlan, Task
from assets.compute.plan_editor.forms import ComputePlanForm, PlanTasksForm
from tests.admin.interface import rows, task
from tests.builders import (
    make_dataset,
    make_function,
    make_plan,
    make_samples,
    plan_spec,
    training_task,
    wire_plan,
    wire_plan_task,
)


@pytest.fixture
def spec(alice):
    dataset = make_dataset(alice)
    return training_task(dataset, make_samples(alice, dataset.key), make_function(alice))


def test_a_plan_without_tasks(alice):
    form = ComputePlanForm({"name": "Study"}, actor=alice)
    assert form.is_valid(), form.errors
    plan = form.save()
    assert ComputePlan.objects.get() == plan
    assert isinstance(plan.key, UUID)


def test_a_plan_that_is_pasted_fills_what_is_blank(alice, spec):
    pasted = wire_plan(plan_spec(name="Pasted", metadata={"a": "b"}, tasks=[spec]))
    form = ComputePlanForm({"tasks": json.dumps(pasted), "tag": "typed"}, actor=alice)
    assert form.is_valid(), form.errors
    plan = form.save()
    assert str(plan.key) == pasted["key"]
    assert (plan.name, plan.tag, plan.metadata) == ("Pasted", "typed", {"a": "b"})
    assert plan.task_count == 1


# What is pasted as tasks, the field that reports it, and the message.
UNREAD = {
    "its name is no text": ({"name": 7}, "name", "Must be a string."),
    "its key is no key": ({"key": "x", "name": "n"}, "key", '"x" is not a valid UUID.'),
    "a task without a function": (
        {"name": "n", "tasks": [{"key": "11111111-1111-4111-8111-111111111111"}]},
        "tasks",
        "tasks[0].function_key: Is missing. Give the key, a UUID.",
    ),
}


@pytest.mark.parametrize(("pasted", "field", "message"), UNREAD.values(), ids=UNREAD)
def test_values_that_cannot_be_read_are_reported_at_their_field(pasted, field, message, alice):
    form = ComputePlanForm({"tasks": json.dumps(pasted)}, actor=alice)
    assert not form.is_valid()
    assert message in form.errors[field]


def test_problems_of_a_plan_and_its_tasks_come_together(alice):
    tasks = [{"key": str(uuid4()), "function_key": str(uuid4())}]
    form = ComputePlanForm({"name": "", "tasks": json.dumps(tasks)}, actor=alice)
    assert not form.is_valid()
    assert set(form.errors) == {"name", "tasks"}
    assert form.errors["tasks"][0].startswith("tasks[0].function_key: Function with key")


def test_tasks_are_added_to_a_plan(alice, spec):
    plan = make_plan(alice)
    body = [wire_plan_task(spec)]
    form = PlanTasksForm({"tasks": json.dumps(body)}, actor=alice, asset=plan)
    assert form.is_valid(), form.errors
    form.save()
    assert Task.objects.get().compute_plan == plan


def test_tasks_are_added_to_the_plan_of_the_form_only(alice, spec):
    spec.compute_plan_key = make_plan(alice).key
    form = PlanTasksForm(
        {"tasks": json.dumps([wire_plan_task(spec)])}, actor=alice, asset=make_plan(alice)
    )
    assert not form.is_valid()
    assert "All tasks should have the same compute plan key" in form.non_field_errors()[0]


def test_a_task(alice, spec):
    form = TaskForm(task(spec), actor=alice)
    assert form.is_valid(), form.errors
    assert form.save() == Task.objects.get(pk=spec.key)


def test_the_key_of_a_task_is_made_once(alice, spec):
    form = TaskForm({**task(spec), "key": ""}, actor=alice)
    assert form.is_valid(), form.errors
    assert form.save().key == form.spec.key != spec.key


def test_an_output_given_twice_is_not_lost_in_silence(alice, spec):
    output = {"identifier": "model", "permissions-public": "on"}
    form = TaskForm({**task(spec), **rows("outputs", [output, output])}, actor=alice)
    assert not form.is_valid()
    first, second = form.formsets["outputs"].errors
    assert not first
    assert second["identifier"] == ['The output "model" is given twice. Remove one.']


def test_a_row_that_cannot_be_read_has_one_error(alice, spec):
    data = {**task(spec), "inputs-0-asset_key": "nonsense"}
    form = TaskForm(data, actor=alice)
    assert not form.is_valid()
    assert form.formsets["inputs"].errors[0] == {"asset_key": ["Enter a valid UUID."]}


def test_without_a_function_its_inputs_have_no_problems(alice, spec):
    form = TaskForm({**task(spec), "function": ""}, actor=alice)
    assert not form.is_valid()
    assert form.errors == {"function": ["Choose the function that the task runs."]}
    assert not any(form.formsets["inputs"].errors)
