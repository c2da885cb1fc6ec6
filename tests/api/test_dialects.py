"""Statuses in the words of older SDKs, on the way out and in. Contract 0.2, decision 2."""

import pytest

from assets.compute.models import ComputePlan
from assets.compute.statuses import COUNTERS, TaskStatus, plan_status
from tests.builders import make_plan, set_status

OUT = {
    "sdk-0.49": "WAITING WAITING WAITING TODO DOING DONE FAILED CANCELED",
    "sdk-0.50": "WAITING_FOR_BUILDER_SLOT BUILDING WAITING_FOR_PARENT_TASKS "
    "WAITING_FOR_EXECUTOR_SLOT DOING DONE FAILED CANCELED",
}


@pytest.mark.parametrize("prefix", OUT)
def test_task_statuses(prefix, world, api):
    words = [f"STATUS_{word}" for word in OUT[prefix].split()]
    for status, word in zip(TaskStatus, words, strict=True):
        set_status([world.parent.key], status)
        assert api.get(f"/api/{prefix}/task/{world.parent.key}/").json()["status"] == word
        for asked in dict.fromkeys(words):
            count = api.get(f"/api/{prefix}/task/?status={asked}").json()["count"]
            assert count == (asked == word), (status, asked)


W, B, P, S, R, D, F, C = TaskStatus
# The tasks of a plan, and its status for the SDKs up to 0.50 and for later ones.
PLANS = [
    ([], "EMPTY", "CREATED"),
    ([W, W], "WAITING", "CREATED"),
    ([W, B, P], "WAITING", "DOING"),
    ([W, S], "TODO", "DOING"),
    ([S], "TODO", "DOING"),
    ([R, W], "DOING", "DOING"),
    ([D, W], "DOING", "DOING"),
    ([D, D], "DONE", "DONE"),
    ([F, W], "FAILED", "FAILED"),
    ([C, D], "CANCELED", "CANCELED"),
]
OLD = ["EMPTY", "WAITING", "TODO", "DOING", "DONE", "FAILED", "CANCELED"]
NEW = ["CREATED", "DOING", "DONE", "FAILED", "CANCELED"]


@pytest.mark.parametrize(("tasks", "old", "new"), PLANS)
def test_plan_statuses(tasks, old, new, alice, client_of):
    api = client_of(alice)
    plan = make_plan(alice)
    counts = {status: tasks.count(status) for status in TaskStatus}
    columns = {COUNTERS[status]: count for status, count in counts.items()}
    status = plan_status(counts, cancelled=False)
    rows = ComputePlan.objects.filter(pk=plan.pk)
    rows.update(status=status, task_count=len(tasks), **columns)
    for prefix, words, word in (
        ("api", NEW, new),
        ("api/sdk-0.49", OLD, old),
        ("api/sdk-0.50", OLD, old),
    ):
        url = f"/{prefix}/compute_plan/"
        assert api.get(f"{url}{plan.key}/").json()["status"] == f"PLAN_STATUS_{word}"
        for asked in words:
            count = api.get(f"{url}?status=PLAN_STATUS_{asked}").json()["count"]
            assert count == (asked == word), (prefix, asked)


@pytest.mark.parametrize(
    ("prefix", "status"),
    [
        ("sdk-0.49", "task/?status=STATUS_EXECUTING"),
        ("sdk-0.49", "task/?status=STATUS_BUILDING"),
        ("sdk-0.50", "task/?status=STATUS_EXECUTING"),
        ("sdk-0.50", "task/?status=STATUS_TODO"),
        ("sdk-0.49", "compute_plan/?status=PLAN_STATUS_CREATED"),
        ("sdk-0.50", "compute_plan/?status=PLAN_STATUS_CREATED"),
    ],
)
def test_words_of_other_generations(prefix, status, alice, client_of):
    assert client_of(alice).get(f"/api/{prefix}/{status}").status_code == 400
