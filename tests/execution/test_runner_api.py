"""What a runner asks for and reports: claims, leases, ends. Contract 4."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db.models import F
from django.utils import timezone

from assets.accounts.registration.runners import revoke_runner
from assets.compute.models import ComputePlan, FailureReport, Performance, ProfilingStep, Task
from assets.compute.registration import cancel_compute_plan
from assets.compute.specs import OutputSpec
from assets.execution.models import Job
from assets.functions.models import Function
from assets.permissions.specs import PermissionsSpec
from tests import builders
from tests.cast import A

from .runners import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

PUBLIC = PermissionsSpec(public=True)
# With the authentication, the transaction, and savepoints within it.
FINISH = 19


@pytest.fixture
def metric(alice) -> Function:
    """A function that measures."""
    return builders.make_aggregate(
        alice,
        inputs=(),
        outputs=(builders.PERFORMANCE_OUTPUT,),
    )


def measuring(function: Function, *, worker: str = A):
    outputs = {builders.PERFORMANCE_OUTPUT.identifier: OutputSpec(PUBLIC)}
    return builders.aggregate_task(function, worker, outputs=outputs)


def build(runner: StandIn) -> None:
    (job,) = runner.claim()
    assert job["kind"] == "build"
    assert runner.report(job, "finish").status_code == 200


def status(key) -> str:
    return Task.objects.get(pk=key).status.removeprefix("STATUS_")


def expire(**jobs) -> None:
    Job.objects.filter(ended_at=None, **jobs).update(
        expires_at=F("expires_at") - timedelta(hours=1)
    )


def test_build_then_run(alice, ward, metric):
    task = measuring(metric)
    plan = builders.make_plan(alice, task)
    build(ward)
    (job,) = ward.claim(5)
    assert (job["kind"], job["task"]["key"]) == ("task", str(task.key))
    assert job["outputs"] == [
        {"identifier": "performance", "kind": "ASSET_PERFORMANCE", "multiple": False}
    ]
    assert status(task.key) == "EXECUTING"
    archive = ward.client.get(job["function"]["address"])
    assert archive.getvalue() == builders.zip_of(builders.CODE)
    assert ward.renew(job) == {job["key"]: {"expires_in": 60}}
    assert ward.report(job, "steps", steps={"prepare_inputs": 12}).status_code == 200
    end = {"performances": {"performance": 0.5}, "steps": {"task_execution": 7}}
    # The answer may be lost.
    for _ in range(2):
        assert ward.report(job, "finish", **end).status_code == 200
    assert status(task.key) == "DONE"
    assert Performance.objects.get(output__task=task.key).value == 0.5
    steps = ProfilingStep.objects.filter(task=task.key).values_list("step", "duration")
    assert dict(steps) == {"prepare_inputs": 12, "task_execution": 7}
    assert ComputePlan.objects.get(pk=plan.key).status == "PLAN_STATUS_DONE"
    assert ward.claim() == []


def test_failures(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    build(ward)
    (job,) = ward.claim()
    for _ in range(2):
        answer = ward.report(job, "fail", error_type="EXECUTION_ERROR", logs="Traceback: é")
        assert answer.status_code == 200, answer.content
    assert status(task.key) == "FAILED"
    report = FailureReport.objects.get(task=task.key)
    with report.logs as logs:
        assert logs.read().decode() == "Traceback: é"
    refused = ward.report(job, "finish", performances={"performance": 1})
    assert (refused.status_code, refused.json()["key"]) == (409, job["key"])
    assert "failed already" in refused.json()["detail"]


def test_failed_build(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    (job,) = ward.claim()
    answer = ward.report(job, "fail", error_type="BUILD_ERROR", logs="no such package")
    assert answer.status_code == 200, answer.content
    assert status(task.key) == "FAILED"
    assert Function.objects.get(pk=metric.pk).status == "FUNCTION_STATUS_FAILED"


def test_given_back(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    (job,) = ward.claim()
    assert ward.report(job, "give_back").status_code == 200
    build(ward)
    (job,) = ward.claim()
    for _ in range(2):
        assert ward.report(job, "give_back").status_code == 200
    assert ward.report(job, "finish").status_code == 409
    assert ward.get(f"job/{job['key']}/function/").status_code == 409
    (again,) = ward.claim()
    assert again["key"] != job["key"]
    assert again["task"] == job["task"]
    assert Job.objects.get(pk=again["key"]).losses == 0


def test_lost_lease(alice, ward, metric):
    second = StandIn(A, "second")
    task = measuring(metric)
    builders.make_plan(alice, task)
    build(ward)
    (job,) = ward.claim()
    assert second.claim() == []
    expire()
    (again,) = second.claim()
    assert again["task"] == job["task"]
    late = ward.report(job, "finish", performances={"performance": 0.25})
    assert late.status_code == 409
    assert "lease ran out" in late.json()["detail"]
    assert list(ward.renew(job)[job["key"]]) == ["stop"]
    assert not Performance.objects.exists()
    assert second.report(again, "finish", performances={"performance": 0.5}).status_code == 200
    assert status(task.key) == "DONE"


def test_late_but_not_lost(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    build(ward)
    (job,) = ward.claim()
    expire()
    assert ward.renew(job) == {job["key"]: {"expires_in": 60}}
    expire()
    assert ward.report(job, "finish", performances={"performance": 0.5}).status_code == 200


def test_three_losses_fail_a_task(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    build(ward)
    for _ in range(3):
        assert len(ward.claim()) == 1
        expire()
    assert ward.claim() == []
    assert status(task.key) == "FAILED"
    assert FailureReport.objects.get(task=task.key).error_type == "INTERNAL_ERROR"
    assert not Job.objects.filter(ended_at=None).exists()


def test_three_losses_fail_a_build(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    for _ in range(3):
        assert len(ward.claim()) == 1
        expire()
    assert ward.claim() == []
    assert status(task.key) == "FAILED"
    report = FailureReport.objects.get(function=metric.pk)
    with report.logs as logs:
        assert b"3 times" in logs.read()


def test_cancelled_plan(alice, ward, metric):
    first, second = measuring(metric), measuring(metric)
    plan = builders.make_plan(alice, first, second)
    build(ward)
    (job,) = ward.claim()
    cancel_compute_plan(plan.key, alice)
    assert ward.claim() == []
    stopped = ward.renew(job)
    assert "cancelled" in stopped[job["key"]]["stop"]
    assert ward.report(job, "finish", performances={"performance": 0.5}).status_code == 409
    assert Job.objects.get(pk=job["key"]).outcome == "stopped"


def test_tasks_of_a_failed_plan_wait(alice, ward, metric):
    tasks = [measuring(metric) for _ in range(3)]
    plan = builders.make_plan(alice, *tasks)
    build(ward)
    failing, running = ward.claim(2)
    ward.report(failing, "fail", error_type="EXECUTION_ERROR", logs="")
    assert ComputePlan.objects.get(pk=plan.key).status == "PLAN_STATUS_FAILED"
    assert ward.claim() == []
    # What runs, runs on.
    assert ward.report(running, "finish", performances={"performance": 0.5}).status_code == 200


@pytest.mark.parametrize("value", [True, "0.5", None, [1], {}])
def test_performances_are_numbers(alice, ward, metric, value):
    task = measuring(metric)
    builders.make_plan(alice, task)
    build(ward)
    (job,) = ward.claim()
    assert ward.report(job, "finish", performances={"performance": value}).status_code == 400
    assert status(task.key) == "EXECUTING"


def test_incomplete_report_changes_nothing(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    build(ward)
    (job,) = ward.claim()
    for body in (
        {},
        {"performances": {"other": 1}},
        {"performances": {"performance": 1}, "steps": {"dance": 1}},
    ):
        assert ward.report(job, "finish", **body).status_code in (400, 409)
    assert status(task.key) == "EXECUTING"
    assert not Performance.objects.exists()
    assert Job.objects.get(pk=job["key"]).ended_at is None


def test_many_at_once(alice, ward, metric):
    tasks = [measuring(metric) for _ in range(5)]
    builders.make_plan(alice, *tasks[:2])
    builders.make_plan(alice, *tasks[2:])
    build(ward)
    jobs = ward.claim(4)
    assert len({job["task"]["key"] for job in jobs}) == 4
    assert len(ward.claim(4)) == 1


def test_what_a_runner_says_of_itself(ward):
    ward.claim(version="0.3", engine="process")
    seen = ward.seen()
    assert (seen.version, seen.engine) == ("0.3", "process")
    assert timezone.now() - seen.last_seen < timedelta(minutes=1)


def test_others(alice, ward, other, metric):
    builders.make_plan(alice, measuring(metric))
    (job,) = ward.claim()
    assert other.claim(5) == []
    assert other.renew(job)[job["key"]]["stop"].startswith("This runner has no such job")
    assert other.get(f"job/{job['key']}/function/").status_code == 404
    for report in ("finish", "fail", "give_back", "steps"):
        assert other.report(job, report).status_code == 404
        assert ward.report(str(uuid4()), report).status_code == 404
        assert ward.report("none", report).status_code == 404


def test_tokens(ward, alice, client_of, anonymous):
    path = "/api/runner/claim/"
    for client in (anonymous, client_of(alice)):
        assert client.post(path, {}, format="json").status_code == 401
    # A runner's token is for runners' addresses and downloads.
    assert ward.client.get("/api/task/").status_code == 401
    revoke_runner(ward.runner)
    assert ward.post("claim/").status_code == 401


@pytest.mark.parametrize(
    ("waited", "wait", "waits_on"),
    [(0, 20, 0.1), (2, 20, 0.25), (19.9, 20, 0.1), (20, 20, None), (0, 0, None), (None, 20, None)],
)
def test_without_work_a_claim_waits(ward, waited, wait, waits_on):
    """The server asks again after some time; one that cannot do it answers at once."""
    meta = {} if waited is None else {"registrar.waited": waited}
    answer = ward.client.post("/api/runner/claim/", {"wait": wait}, format="json", **meta)
    found = answer.headers.get("X-Registrar-Later")
    assert found == waits_on or float(found) == pytest.approx(waits_on)


def test_with_work_it_does_not(ward, alice, metric):
    meta = {"registrar.waited": 0}
    answer = ward.client.post("/api/runner/claim/", {"wait": 20}, format="json", **meta)
    assert "X-Registrar-Later" not in answer.headers
    assert answer.json()["jobs"]


# Those of the transaction count, too.
@pytest.mark.parametrize(("limit", "claims"), [(1, 13), (3, 13)])
def test_statements(alice, ward, metric, django_assert_num_queries, limit, claims):
    """A claim takes as many for three jobs as for one; of 200 tasks as of 10."""
    for count in (10, 200):
        builders.make_plan(alice, *[measuring(metric) for _ in range(count)])
        if count == 10:
            build(ward)
        # What never changes is known from now on, and that the runner is there.
        ward.claim()
        with django_assert_num_queries(claims):
            jobs = ward.claim(limit)
    for job in jobs:
        body = {"performances": {"performance": 0.5}, "steps": {"task_execution": 5}}
        with django_assert_num_queries(FINISH):
            ward.report(job, "finish", **body)


def test_statements_of_who_waits(ward, django_assert_num_queries):
    ward.claim()
    with django_assert_num_queries(3):
        ward.claim()


def test_statements_of_a_renewal(alice, ward, metric, django_assert_num_queries):
    builders.make_plan(alice, *[measuring(metric) for _ in range(5)])
    build(ward)
    jobs = ward.claim(5)
    with django_assert_num_queries(2):
        ward.renew(*jobs)


def test_logs_have_any_characters(alice, ward, metric):
    task = measuring(metric)
    builders.make_plan(alice, task)
    build(ward)
    (job,) = ward.claim()
    answer = ward.report(job, "fail", error_type="EXECUTION_ERROR", logs="a\0b")
    assert answer.status_code == 200, answer.content
    assert status(task.key) == "FAILED"
    with FailureReport.objects.get().logs as logs:
        assert logs.read() == b"a\0b"


def test_performances_beyond_numbers(alice, ward, metric):
    builders.make_plan(alice, measuring(metric))
    build(ward)
    (job,) = ward.claim()
    assert ward.report(job, "finish", performances={"performance": 10**400}).status_code == 400
