"""Plans and tasks that are built in the browser are those that the API registers."""

import json

import pytest
from django.urls import reverse

from assets.compute.models import ComputePlan
from tests.builders import (
    make_plan,
    wire_plan,
    wire_plan_task,
)

from .planning import NEW_TASK, Planner, content_of, draft_of, the_plan


def by_builder(planner: Planner, spec) -> None:
    page = planner.page().fill(name=spec.name, tag=spec.tag, metadata="k: v", key=spec.key)
    planner.add_training(page, task_tag="a")
    page.fill(function=planner.aggregate.key).press("choose")
    first = page.form.offered["task-in-0"][0]
    page.fill(task_in_0=[first], task_tag="b", task_out_0_public="on")
    page.fill(task_out_0_transient="on").press("put")
    page.fill(function=planner.score.key).press("choose")
    page.fill(task_in_0=planner.dataset.key).press("refresh").press("all:in-1")
    averaged = draft_of(page)[1]["task_id"]
    page.fill(task_in_2=[f"task:{averaged}:model"], task_tag="c", task_metadata="round: 1")
    page.press("put")
    assert page.press("check").status == 200
    assert "No problems found. You can register the plan with 3 tasks." in page.text
    assert page.press("register").status == 302, page.text


def by_json(planner: Planner, spec) -> None:
    page = planner.page().press("view:json").fill(tasks=json.dumps(wire_plan(spec)))
    assert page.press("register").status == 302, page.text


def by_adding(planner: Planner, spec) -> None:
    plan = make_plan(planner.user, key=spec.key, name="Study", tag="first", metadata={"k": "v"})
    page = planner.page(reverse("compute-plan-tasks", args=[plan.key])).press("view:json")
    page.fill(tasks=json.dumps([wire_plan_task(task) for task in spec.tasks]))
    assert page.press("register").status == 302, page.text


def by_single_tasks(planner: Planner, spec) -> None:
    make_plan(planner.user, key=spec.key, name="Study", tag="first", metadata={"k": "v"})
    tasks = {}
    for task in spec.tasks:
        page = planner.page(NEW_TASK).fill(function=task.function_key).press("choose")
        if task.function_key == planner.aggregate.key:
            page.fill(task_in_0=[f"task:{tasks['a']}:model"])
            page.fill(task_out_0_public="on", task_out_0_transient="on")
        else:
            page.fill(task_in_0=planner.dataset.key).press("refresh").press("all:in-1")
        if task.tag == "c":
            page.fill(task_in_2=[f"task:{tasks['b']}:model"], task_metadata="round: 1")
        page.fill(task_tag=task.tag, task_compute_plan=spec.key)
        page.set("task-own_key", task.key).set("task-compute_plan", spec.key)
        assert page.press("register").status == 302, page.errors()
        tasks[task.tag] = task.key


WAYS = {
    "builder": by_builder,
    "JSON": by_json,
    "added to a plan": by_adding,
    "single tasks": by_single_tasks,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_rows_are_those_of_the_api(way, planner, client_of):
    spec = the_plan(planner)
    client_of(planner.user).post(
        "/api/compute_plan/", {**wire_plan(spec), "tag": "first"}, format="json"
    )
    by_api = ComputePlan.objects.get()
    expected, digest = content_of(by_api), by_api.digest
    other = the_plan(planner)
    way(planner, other)
    plan = ComputePlan.objects.get(pk=other.key)
    assert content_of(plan) == expected
    assert plan.digest == digest


def test_a_plan_like_another_one_has_new_keys(planner):
    spec = the_plan(planner)
    plan = make_plan(planner.user, *spec.tasks, name="Study", metadata={"k": "v"})
    page = planner.page(like=plan.key)
    assert page.form.data["name"] == ["Study"]
    assert page.press("register").status == 302
    other = ComputePlan.objects.exclude(pk=plan.pk).get()
    assert content_of(other) == content_of(plan)
    assert not set(other.tasks.values_list("pk")) & set(plan.tasks.values_list("pk"))
