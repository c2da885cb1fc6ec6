"""A draft as JSON: pasted or sent as a file, and checked before anything is written."""

import json
from uuid import uuid4

import pytest

from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan
from tests.builders import (
    child_input,
    make_function,
    plan_spec,
    wire_plan,
    wire_plan_task,
)

from .planning import NEW_PLAN, draft_of


def test_every_problem_names_its_task_and_field(planner, bob):
    theirs = make_function(bob)
    good = wire_plan_task(planner.training())
    unknown = {**good, "task_id": str(uuid4()), "function_key": str(uuid4())}
    private = {**good, "task_id": str(uuid4()), "function_key": str(theirs.key)}
    missing = {**good, "task_id": str(uuid4()), "inputs": []}
    unreadable = {**good, "task_id": "no key"}
    page = planner.page().press("view:json").fill(name="Study")
    page.fill(tasks=json.dumps([unreadable, good, unknown, private, missing, 7]))
    page.press("check")
    assert page.status == 422
    found = {(item.number, item.path) for item in page.response.context["row_problems"]}
    assert found == {
        (1, "tasks[0].task_id"),
        (3, "tasks[2].function_key"),
        (4, "tasks[3].function_key"),
        (5, "tasks[4].inputs"),
        (6, "tasks[5]"),
    }
    assert "problems in 5 of 6 tasks and submit again." in page.text
    assert not ComputePlan.objects.exists()


def test_problems_stay_in_the_other_view(planner):
    spec = planner.training()
    task = {**wire_plan_task(spec), "function_key": str(uuid4())}
    page = planner.page().press("view:json").fill(name="Study", tasks=json.dumps([task]))
    assert not page.press("view:build").text.count("Fix this problem"), "nothing was checked yet"
    page.press("view:json").press("check")
    for view in ("build", "json"):
        page.press(f"view:{view}")
        assert page.status == 422
        assert "Fix this problem in 1 of 1 tasks and submit again." in page.text
    page.fill(tasks=json.dumps([wire_plan_task(spec)])).press("view:build")
    assert page.status == 200
    assert "problem" not in page.text


def test_a_cycle_and_what_is_below_an_unreadable_task(planner):
    first, second = planner.training(), planner.training()
    first.inputs = grouped([*first.refs, child_input(second)])
    second.inputs = grouped([*second.refs, child_input(first)])
    third = planner.training()
    broken = {**wire_plan_task(third), "function_key": "x"}
    child = planner.training()
    child.inputs = grouped([*child.refs, child_input(third)])
    tasks = [wire_plan_task(first), wire_plan_task(second), broken, wire_plan_task(child)]
    page = planner.page().press("view:json").fill(name="n", tasks=json.dumps(tasks)).press("check")
    found = [(item.number, item.path) for item in page.response.context["row_problems"]]
    assert (3, "tasks[2].function_key") in found
    assert 4 not in {number for number, _ in found}


def test_a_whole_plan_fills_blank_fields(planner):
    spec = plan_spec(name="Pasted", tag="theirs", metadata={"a": "b"}, tasks=[planner.training()])
    page = planner.page().press("view:json").fill(tag="mine", tasks=json.dumps(wire_plan(spec)))
    page.press("view:build")
    assert page.form.data["name"] == ["Pasted"]
    assert page.form.data["tag"] == ["mine"]
    assert page.form.data["metadata"] == ["a: b"]
    assert page.form.data["key"] == [str(spec.key)]
    assert len(draft_of(page)) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_file_replaces_the_text(encoding, planner, tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(wire_plan(plan_spec(tasks=[planner.training()]))), encoding=encoding)
    page = planner.page().press("view:json")
    with path.open("rb") as file:
        page.read(
            planner.client.post(NEW_PLAN, {**page.form.data, "action": "check", "upload": file})
        )
    assert page.status == 200, page.text
    assert "Read plan.json." in page.text
    assert page.press("register").status == 302


def test_a_file_that_is_not_text_is_refused(planner, tmp_path):
    path = tmp_path / "plan.bin"
    path.write_bytes(b"\xff\xfe\x00\x01")
    page = planner.page().press("view:json")
    with path.open("rb") as file:
        page.read(
            planner.client.post(NEW_PLAN, {**page.form.data, "action": "check", "upload": file})
        )
    assert "plan.bin cannot be read" in page.text


@pytest.mark.parametrize("action", ["view:build", "check", "register", "edit:0"])
def test_invalid_json_stays_and_says_where(action, planner):
    page = planner.page().press("view:json").fill(name="n", tasks='[{"a": 1},')
    page.read(planner.client.post(NEW_PLAN, {**page.form.data, "action": action}))
    assert page.status == 422
    assert "This is not JSON" in page.text
    assert page.form.data["tasks"] == ['[{"a": 1},']


NONSENSE = ["7", '"x"', '{"tasks": 7}', '{"name": 7}', "[7, null, []]", '{"tasks": {"a": 1}}']


@pytest.mark.parametrize("text", [*NONSENSE, '[{"inputs": 7, "outputs": [], "metadata": 7}]'])
@pytest.mark.parametrize("action", ["view:build", "view:json", "check", "register", "edit:0"])
def test_nonsense_is_refused_and_never_fails(action, text, planner):
    page = planner.page().press("view:json").fill(tasks=text)
    page.read(planner.client.post(NEW_PLAN, {**page.form.data, "action": action}))
    assert page.status in (200, 422)
    assert not ComputePlan.objects.exists()


def test_long_drafts_are_listed_in_part_and_not_drawn(planner):
    tasks = [{**wire_plan_task(planner.training()), "task_id": str(uuid4())} for _ in range(501)]
    tasks[300]["worker"] = "Unknown"
    page = planner.page().press("view:json").fill(name="n", tasks=json.dumps(tasks))
    page.press("view:build").press("check")
    rows = page.response.context["rows"]
    assert (len(rows), rows[-1]["number"]) == (101, 301)
    assert "400 more tasks are in the draft" in page.text
    assert "Drafts of more than 500 tasks" in page.text
