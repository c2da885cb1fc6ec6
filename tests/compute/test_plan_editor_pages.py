"""The pages of plans and tasks to be registered: who may, what they begin with, statements."""

import json
import re

import pytest
from django.urls import reverse

from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan, Task
from assets.compute.specs import OutputSpec
from assets.compute.statuses import PlanStatus
from assets.permissions.specs import PermissionsSpec
from tests.builders import (
    child_input,
    make_plan,
    wire_plan_task,
    wire_task,
)

from .planning import NEW_PLAN, NEW_TASK


def test_registered_tasks_may_be_parents(planner):
    done = planner.training()
    plan = make_plan(planner.user, done)
    url = reverse("compute-plan-tasks", args=[plan.key])
    page = planner.page(url).fill(function=planner.aggregate.key).press("choose")
    assert "Registered tasks of this plan" in page.text
    page.fill(task_in_0=[f"task:{done.key}:model"]).press("put")
    assert "registered" in page.response.context["graph"].drawing.svg
    assert page.press("register").status == 302
    assert sorted(plan.tasks.values_list("rank", flat=True)) == [0, 1]
    assert page.response.url == reverse("compute-plan", args=[plan.key])


def test_each_picker_says_once_what_it_searches_by(planner):
    page = planner.page().fill(function=planner.train.key).press("choose")
    page.fill(task_in_0=planner.dataset.key).press("refresh")
    found = re.findall(r'aria-label="(Search by [^"]+)"', page.response.content.decode())
    assert set(found) >= {"Search by name or key", "Search by key"}
    assert "Search by key or key" not in found


@pytest.mark.parametrize("status", [PlanStatus.CANCELED, PlanStatus.FAILED])
def test_a_plan_that_has_ended_takes_no_tasks(status, planner):
    plan = make_plan(planner.user)
    ComputePlan.objects.filter(pk=plan.pk).update(status=status)
    url = reverse("compute-plan-tasks", args=[plan.key])
    page = planner.page(url)
    assert "takes no more tasks; register another plan" in page.text
    body = json.dumps([wire_task(planner.training())])
    assert planner.client.post(url, {"tasks": body}).status_code == 422
    assert not Task.objects.exists()


def test_another_organisation_adds_no_tasks(planner, bob, session_of):
    plan = make_plan(planner.user)
    url = reverse("compute-plan-tasks", args=[plan.key])
    client = session_of(bob)
    assert "only its owner MyOrg1MSP may add tasks" in client.get(
        url
    ).content.decode().lower().replace("myorg1msp", "MyOrg1MSP")
    body = json.dumps([wire_task(planner.training())])
    assert client.post(url, {"tasks": body}).status_code == 422
    assert not Task.objects.exists()


def test_no_tasks_are_reported(planner):
    page = planner.page(reverse("compute-plan-tasks", args=[make_plan(planner.user).key]))
    page.press("register")
    assert page.status == 422
    assert "Add a task first." in page.text


def test_a_task_begins_with_a_function_or_like_another(planner):
    page = planner.page(NEW_TASK, function=planner.aggregate.key)
    assert "Aggregate" in page.text
    assert page.form.data["task-worker"] == [planner.user.organization_id]
    done = planner.training(tag="like", outputs={"model": OutputSpec(PermissionsSpec(True))})
    plan = make_plan(planner.user, done)
    page = planner.page(NEW_TASK, like=done.key)
    assert page.form.data["task-tag"] == ["like"]
    assert page.form.data["task-compute_plan"] == [str(plan.key)]
    assert page.press("register").status == 302
    assert plan.tasks.count() == 2


def test_a_task_without_a_plan_gets_one(planner):
    page = planner.page(NEW_TASK).fill(function=planner.train.key).press("choose")
    page.fill(task_in_0=planner.dataset.key).press("refresh").press("all:in-1").press("register")
    task = Task.objects.get()
    assert task.compute_plan.name == str(task.key)
    assert page.response.url == reverse("task", args=[task.key])


def test_a_task_has_its_problems_at_its_fields(planner):
    page = planner.page(NEW_TASK).press("register")
    assert page.status == 422
    assert "Choose a function first." in page.text
    page.fill(function=planner.train.key).press("choose").press("register")
    assert set(page.errors()) == {"in-0", "in-1"}
    taken = planner.training()
    make_plan(planner.user, taken)
    page.set("task-own_key", taken.key).press("register")
    assert "already exists with another content" in page.errors()["own_key"][0]


PAGES = {"plan": NEW_PLAN, "task": NEW_TASK, "tasks": "compute-plan-tasks"}


def url_of(page: str, plan: ComputePlan) -> str:
    return reverse(page, args=[plan.key]) if "/" not in page else page


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_standard_cases(page, planner, victor, client, session_of):
    url = url_of(page, make_plan(planner.user))
    assert planner.client.get(url).status_code == 200
    viewer = session_of(victor)
    assert "your role is viewer" in viewer.get(url).content.decode().lower()
    assert viewer.post(url, {"name": "n", "tasks": "[]"}).status_code == 422
    assert client.get(url).status_code == 302
    assert planner.client.put(url).status_code == 405
    assert ComputePlan.objects.count() == 1


@pytest.mark.parametrize("key", ["nonsense", "11111111-1111-4111-8111-111111111111"])
def test_a_plan_that_is_not_there(key, planner):
    assert planner.client.get(f"/compute-plans/{key}/tasks/").status_code == 404
    assert planner.client.post(f"/compute-plans/{key}/tasks/").status_code == 404


STATEMENTS = {"view:build": 9, "check": 22, "register": 53, "edit:0": 32}


@pytest.mark.parametrize(("action", "statements"), STATEMENTS.items())
@pytest.mark.parametrize("count", [2, 20])
def test_statements_do_not_grow(action, statements, count, planner, django_assert_num_queries):
    parent = planner.training()
    tasks = [parent] + [planner.training() for _ in range(count - 1)]
    for task in tasks[1:]:
        task.inputs = grouped([*task.refs, child_input(parent)])
    body = json.dumps([wire_plan_task(task) for task in tasks])
    planner.page()
    with django_assert_num_queries(statements):
        planner.client.post(NEW_PLAN, {"name": "n", "tasks": body, "action": action})


def test_enter_registers_nothing(planner):
    # Without scripts, Enter presses the first button of the form.
    assert planner.page().form.buttons[0] == "check"
    assert planner.page(NEW_TASK).form.buttons[0] == "refresh"


PREVIEW_ROWS = {
    "plan": (NEW_PLAN, 5),
    "tasks": ("compute-plan-tasks", 8),
    "task": (NEW_TASK, 5),
    "like a plan": ("like", 12),
}


@pytest.mark.parametrize(("page", "statements"), PREVIEW_ROWS.values(), ids=PREVIEW_ROWS)
@pytest.mark.parametrize("count", [2, 20])
def test_statements_of_showing(page, statements, count, planner, django_assert_num_queries):
    plan = make_plan(planner.user, *(planner.training() for _ in range(count)))
    url = f"{NEW_PLAN}?like={plan.key}" if page == "like" else url_of(page, plan)
    with django_assert_num_queries(statements):
        assert planner.client.get(url).status_code == 200
