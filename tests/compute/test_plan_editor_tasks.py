"""A draft is built task by task, here without scripts."""

import json

import pytest
from django.urls import reverse

from assets.compute.inputs import grouped
from assets.compute.specs import OutputSpec
from assets.functions.specs import FunctionOutputSpec
from tests.builders import (
    child_input,
    make_dataset,
    make_function,
    make_model,
    make_plan,
    make_samples,
    only_to,
    training_task,
    wire_plan_task,
)

from .planning import NEW_PLAN, NEW_TASK, draft_of


def test_inputs_become_fields_with_matching_assets(planner, bob):
    theirs = make_dataset(bob, name="Closed")
    shared = make_dataset(bob, name="Open", permissions=only_to(planner.user.organization_id))
    page = planner.page().fill(function=planner.train.key).press("choose")
    assert set(page.form.offered["task-in-0"]) == {str(planner.dataset.key), str(shared.key)}
    assert str(theirs.key) not in page.html
    assert "Choose a dataset first" in page.text
    page.fill(task_in_0=planner.dataset.key).press("refresh")
    assert set(page.form.offered["task-in-1"]) == {str(item.key) for item in planner.samples}
    assert "the owner of the dataset, runs the task" in page.text
    assert "Optional." in page.text


def test_functions_that_one_may_not_run_are_not_listed(planner, bob):
    theirs = make_function(bob)
    assert str(theirs.key) not in planner.page().form.offered["function"]


def test_models_come_from_the_draft_from_tasks_and_from_models(planner, bob):
    done = planner.training(outputs={"model": OutputSpec(only_to("MyOrg1MSP"))})
    plan = make_plan(planner.user, done)
    model = make_model(done.key)
    closed = training_task(ds := make_dataset(bob), make_samples(bob, ds.key), make_function(bob))
    make_plan(bob, closed)
    page = planner.add_training(planner.page())
    drafted = draft_of(page)[0]["task_id"]
    page.fill(function=planner.aggregate.key).press("choose")
    assert page.form.offered["task-in-0"] == [
        f"task:{drafted}:model",
        f"task:{done.key}:model",
        f"model:{model.key}",
    ]
    page.set("task-in-0-search", plan.name).press("refresh")
    assert f"task:{done.key}:model" in page.form.offered["task-in-0"]
    page.set("task-in-0-search", "nothing like it").press("refresh")
    assert "task-in-0" not in page.form.offered
    page.set("task-in-0-search", "").press("refresh")
    page.fill(task_in_0=[f"model:{model.key}"]).press("put")
    assert draft_of(page)[1]["inputs"] == [{"identifier": "models", "asset_key": str(model.key)}]


def test_only_outputs_of_the_right_kind_feed_an_input(planner):
    """Performances feed nothing, and several models no input that takes one."""
    several = FunctionOutputSpec("models", "ASSET_MODEL", multiple=True)
    page, train = planner.page(), planner.train
    split = make_function(planner.user, name="Split", outputs=(several,))
    for function in (split, planner.score):
        planner.train = function
        planner.add_training(page)
    split_task, _ = draft_of(page)
    page.fill(function=planner.aggregate.key).press("choose")
    assert page.form.offered["task-in-0"] == [f"task:{split_task['task_id']}:models"]
    page.press("discard").fill(function=train.key).press("choose")
    assert not any(key.startswith("task:") for key in page.form.offered["task-in-2"])


def test_what_the_worker_may_not_use_is_shown_before_and_after(planner, org_b):
    page = planner.add_training(planner.page())
    page.fill(function=planner.aggregate.key).press("choose")
    page.fill(task_worker="MyOrg2MSP").press("refresh")
    assert "not permitted to MyOrg2MSP yet" in page.text
    page.fill(task_in_0=page.form.offered["task-in-0"]).press("put")
    assert page.status == 422
    text = page.errors()["in-0"][0]
    assert 'The worker MyOrg2MSP may not process output "model" of task 1 ' in text
    assert "choose another worker" in text
    assert len(draft_of(page)) == 1


def test_an_added_task_is_checked_at_its_fields(planner):
    page = planner.page().fill(function=planner.train.key).press("choose")
    page.fill(task_metadata="a__b: c").press("put")
    assert page.status == 422
    assert {name: errors[0][:8] for name, errors in page.errors().items()} == {
        "metadata": page.errors()["metadata"][0][:8],
    }
    page.fill(task_metadata="").press("put")
    assert set(page.errors()) == {"in-0", "in-1"}
    assert draft_of(page) == []


def test_edit_duplicate_and_remove(planner):
    page = planner.add_training(planner.page())
    page.press("copy:0")
    assert len(draft_of(page)) == 2
    page.fill(task_tag="second").press("put")
    first, second = draft_of(page)
    assert first["task_id"] != second["task_id"]
    assert (first["tag"], second["tag"]) == ("", "second")
    assert {**first, "task_id": "", "tag": ""} == {**second, "task_id": "", "tag": ""}
    page.press("edit:0").fill(task_tag="one").press("put")
    assert [task["tag"] for task in draft_of(page)] == ["one", "second"]
    page.press("remove:0")
    assert [task["tag"] for task in draft_of(page)] == ["second"]
    page.press("restore")
    assert [task["tag"] for task in draft_of(page)] == ["one", "second"]


def test_removing_a_parent_says_what_breaks(planner):
    page = planner.add_training(planner.page())
    page.fill(function=planner.aggregate.key).press("choose")
    page.fill(task_in_0=page.form.offered["task-in-0"]).press("put")
    assert "Feeds task 2" in page.text
    page.press("remove:0")
    assert "A task that took its output now misses an input: 1 Aggregate." in page.text
    page.press("check")
    assert page.status == 422
    assert "no task has the key" in page.text


def test_another_function_keeps_what_fits(planner):
    page = planner.page().fill(function=planner.train.key).press("choose")
    page.fill(task_in_0=planner.dataset.key).press("refresh").press("all:in-1")
    page.fill(task_tag="kept").press("change")
    page.fill(function=planner.score.key).press("choose").press("put")
    (task,) = draft_of(page)
    assert task["function_key"] == str(planner.score.key)
    assert (task["tag"], len(task["inputs"])) == ("kept", 3)


def test_a_task_never_waits_for_itself(planner):
    page = planner.page().press("view:json")
    first, second = planner.training(), planner.training()
    second.inputs = grouped([*second.refs, child_input(first)])
    page.fill(tasks=json.dumps([wire_plan_task(first), wire_plan_task(second)]))
    page.press("view:build").press("edit:0")
    assert page.form.offered["task-in-2"] == [""]
    page.press("edit:1")
    assert f"task:{first.key}:model" in page.form.offered["task-in-2"]


def test_an_open_task_is_not_lost_by_registering(planner):
    page = planner.page().fill(name="Study")
    page.fill(function=planner.train.key).press("choose").fill(task_tag="mine").press("register")
    assert page.status == 422
    assert "Task 1 is not in the plan yet. Add it, or discard it." in page.text
    assert page.form.data["task-tag"] == ["mine"]
    page.press("discard").press("register")
    assert page.status == 302


def test_the_draft_as_code(planner):
    page = planner.add_training(planner.page().fill(name="As code"))
    page.press("code")
    assert page.status == 200
    assert "ComputePlanSpec" in page.text
    assert "As code" in page.text
    page = planner.page(NEW_TASK, function=planner.aggregate.key).press("code")
    assert "TaskSpec" in page.text
    page = planner.page(reverse("compute-plan-tasks", args=[make_plan(planner.user).key]))
    assert "add_compute_plan_tasks" in planner.add_training(page).press("code").text


def test_a_script_gets_a_part_with_problems_and_no_failure(planner):
    page = planner.page().fill(function=planner.train.key).press("choose")
    data = {**page.form.data, "action": "put"}
    response = planner.client.post(NEW_PLAN, data, headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "Missing task input" in response.content.decode()


@pytest.mark.parametrize("name", ["function", "task-in-0", "name"])
def test_live_questions_are_answered_alone(name, planner):
    page = planner.page().fill(function=planner.train.key).press("choose")
    data = {**page.form.data, "live": name, f"{name}-search": "x", "picker": "yes", "name": ""}
    html = planner.client.post(NEW_PLAN, data).content.decode()
    assert f'id="div_id_{name}"' in html
    assert "<main" not in html
