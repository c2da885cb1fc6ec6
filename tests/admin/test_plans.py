"""The pages of a compute plan: cancelling it, and adding tasks."""

import json
from uuid import uuid4

import pytest

from assets.compute.models import ComputePlan, Task
from assets.compute.statuses import PlanStatus, TaskStatus
from assets.feed.models import Event
from assets.functions.models import FunctionStatus
from tests.builders import make_plan, wire_plan_task, wire_task
from tests.rules.cases import everything
from tests.rules.requests import Cancel

from .interface import admin_url


def test_cancelling_asks_first(world, session_of):
    browser = session_of(world.alice)
    page = browser.get(admin_url("computeplan", "change", world.plan.key)).content.decode()
    url = admin_url("computeplan", "cancel", world.plan.key)
    assert url in page
    before = everything()
    question = browser.get(url)
    assert question.status_code == 200
    assert "Yes, cancel the plan" in question.content.decode()
    assert everything() == before


def test_cancelling(admin, world):
    task = world.registered(world.task())
    page = admin.send(world.alice, Cancel(task.compute_plan_key))
    plan = ComputePlan.objects.get(pk=task.compute_plan_key)
    assert page.accepted
    assert plan.status == PlanStatus.CANCELED
    assert Task.objects.get(pk=task.key).status == TaskStatus.CANCELED
    assert Event.objects.filter(action=Event.Action.CANCELED, actor=world.alice).count() == 1


def test_what_is_over_is_not_cancelled_again(world, session_of):
    plan = world.plan_whose_task(FunctionStatus.FAILED)
    browser = session_of(world.alice)
    before = everything()
    answer = browser.post(admin_url("computeplan", "cancel", plan.key), follow=True)
    text = answer.content.decode()
    assert "is failed already" in text
    assert 'class="success"' not in text
    assert admin_url("computeplan", "cancel", plan.key) not in text
    assert everything() == before


@pytest.mark.parametrize("name", ["bob", "victor", "root"])
@pytest.mark.parametrize("page", ["cancel", "tasks"])
def test_the_pages_are_the_owners(page, name, admin, world):
    url = admin_url("computeplan", page, world.plan.key)
    browser = admin.session_of(world.users[name])
    before = everything()
    assert browser.get(url).status_code == 403
    assert browser.post(url, {"tasks": "[]"}).status_code == 403
    shown = browser.get(admin_url("computeplan", "change", world.plan.key)).content.decode()
    assert url not in shown
    assert everything() == before


@pytest.mark.parametrize("page", ["cancel", "tasks"])
@pytest.mark.parametrize("key", [uuid4(), "nonsense"])
def test_an_unknown_plan(page, key, world, session_of):
    browser = session_of(world.alice)
    assert browser.get(admin_url("computeplan", page, key)).status_code == 404


SHAPES = {
    "a list": lambda tasks: [wire_task(task) for task in tasks],
    "a body": lambda tasks: {"tasks": [wire_task(task) for task in tasks]},
    "as in a plan": lambda tasks: [wire_plan_task(task) for task in tasks],
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_adding_tasks(shape, admin, world):
    first = world.task()
    tasks = [world.child(first), first]
    url = admin_url("computeplan", "tasks", world.plan.key)
    page = admin.post(world.alice, url, {"tasks": json.dumps(shape(tasks))})
    assert page.accepted, page.errors
    world.plan.refresh_from_db()
    assert world.plan.task_count == 2


# What is typed, and the error that it causes.
UNREADABLE = {
    "nothing": ("", "Add a task first."),
    "an empty list": ("[]", "Add a task first."),
    "no JSON": ('[{"key": }]', "a JSON value at line 1, column 10"),
    "a number": ("7", 'Enter a list of tasks, or {"tasks": [...]}.'),
    "one task": ('{"function_key": "a", "tag": "b"}', "neither a list of tasks nor a plan"),
    "a list of numbers": ("[1]", "tasks[0]: Must be an object."),
    "no keys": ("[{}]", "tasks[0].key: Is missing. Give the key, a UUID."),
    "half a surrogate pair": ('[{"tag": "\\ud800"}]', "This is not JSON"),
}


@pytest.mark.parametrize(("text", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_tasks_that_cannot_be_read(text, message, admin, world):
    url = admin_url("computeplan", "tasks", world.plan.key)
    admin.session_of(world.alice)
    before = everything()
    page = admin.post(world.alice, url, {"tasks": text})
    assert message in page.text
    assert {error.place for error in page.errors} == {"tasks"}
    assert everything() == before


def test_tasks_of_another_plan_are_not_added(admin, world):
    other = make_plan(world.alice)
    task = wire_task(world.task(compute_plan_key=other.key))
    url = admin_url("computeplan", "tasks", world.plan.key)
    page = admin.post(world.alice, url, {"tasks": json.dumps([task])})
    assert "All tasks should have the same compute plan key" in page.text
    assert not Task.objects.exists()


def test_ten_thousand_problems_are_not_all_shown(admin, world):
    tasks = [{"key": str(uuid4())} for _ in range(1000)]
    url = admin_url("computeplan", "tasks", world.plan.key)
    page = admin.post(world.alice, url, {"tasks": json.dumps(tasks)})
    assert "900 more problems are not listed. Fix the listed ones first." in page.text
    assert len(page.errors) == 101
