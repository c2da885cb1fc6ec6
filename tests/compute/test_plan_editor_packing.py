"""Long drafts are carried with what their tasks share once."""

import json

import pytest
from django.conf import settings

from assets.compute.models import ComputePlan
from assets.compute.plan_editor import page as editor_page
from assets.compute.plan_editor.draft import Draft
from assets.compute.plan_editor.packing import packed, unpacked
from assets.compute.registration import register_compute_plan

from .planning import NEW_PLAN, content_of, draft_of, the_plan

SAMPLES = [{"identifier": "datasamples", "asset_key": f"{number:036}"} for number in range(1000)]
OPENER = {"identifier": "opener", "asset_key": "é\"'<"}
DRAFTS = {
    "nothing": [],
    "no tasks": [7, None, "tasks", [], {}],
    "no inputs": [{"inputs": value} for value in ({}, None, [], 7, "text")],
    "no objects": [{"inputs": [1, None, "text", [2], {}, {"identifier": 3}, {"identifier": "3"}]}],
    "the same": [{"key": "a", "inputs": [OPENER, *SAMPLES], "tag": "b"}] * 3,
    "mixed": [{"inputs": [*SAMPLES, OPENER, *SAMPLES[:2]]}, {"inputs": [OPENER, *SAMPLES]}],
}


@pytest.mark.parametrize("items", DRAFTS.values(), ids=DRAFTS)
def test_what_is_packed_is_the_same_when_unpacked(items):
    assert unpacked(packed(Draft(items))) == json.dumps(
        items, separators=(",", ":"), ensure_ascii=False
    )


def test_lists_that_tasks_share_are_there_once():
    tasks = [{"task_id": str(number), "inputs": [OPENER, *SAMPLES]} for number in range(50)]
    assert len(packed(Draft(tasks))) < len(packed(Draft(tasks[:1]))) + 50 * 50


@pytest.fixture
def always_packed(monkeypatch):
    monkeypatch.setattr(editor_page, "FEWEST", 0)


@pytest.mark.usefixtures("always_packed")
def test_a_packed_draft_is_changed_checked_and_registered(planner):
    like = register_compute_plan(the_plan(planner), planner.user)
    page = planner.page(like=like.key)
    assert "tasks" not in page.form.data
    page.press("copy:0").press("put").press("remove:1")
    page.press("check")
    assert page.status == 200
    page.press("view:json")
    assert len(draft_of(page)) == 3
    page.press("view:build").fill(name="Packed").press("register")
    assert content_of(ComputePlan.objects.get(name="Packed")) == content_of(like)


WRONG = {
    "no JSON": "{",
    "a list": "[]",
    "nothing": "{}",
    "no such list": {"tasks": [{}], "inputs": {"0": [1]}, "runs": [[]]},
    "no such task": {"tasks": [], "inputs": {"0": []}, "runs": []},
    "no place": {"tasks": [{}], "inputs": {"x": []}, "runs": []},
    "no numbers": {"tasks": [{}], "inputs": {"0": ["0"]}, "runs": [[]]},
    "no task": {"tasks": [1], "inputs": {"0": [0]}, "runs": [[]]},
}


@pytest.mark.parametrize("sent", WRONG.values(), ids=WRONG)
def test_what_was_not_packed_is_refused(sent, planner):
    text = sent if isinstance(sent, str) else json.dumps(sent)
    answer = planner.client.post(NEW_PLAN, {"packed": text, "action": "check"})
    assert answer.status_code == 400
    assert "The draft of the plan cannot be read. Open the page again." in answer.text


def test_little_that_stands_for_much_is_refused(planner):
    times = settings.DATA_UPLOAD_MAX_MEMORY_SIZE // len(json.dumps(SAMPLES)) * 2
    sent = {"tasks": [{}], "inputs": {"0": [0] * times}, "runs": [SAMPLES]}
    answer = planner.client.post(NEW_PLAN, {"packed": json.dumps(sent), "action": "check"})
    assert answer.status_code == 413
    assert "A form takes at most 64.0" in answer.text
