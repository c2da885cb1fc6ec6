"""Random decisions about runners in random consortia: the server and the oracle agree."""

import hashlib
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from assets.accounts.models import Organization, Runner
from assets.accounts.registration.runners import create_runner, revoke_runner
from assets.compute.models import Task
from assets.compute.registration.progress import move_function, move_tasks
from assets.compute.statuses import TaskStatus
from assets.execution.registration.leases import begin_jobs
from assets.functions.models import Function, FunctionStatus
from tests import builders
from tests.files.stored import row_counts
from tests.properties.helpers import rolled_back

from .attempts import outcome
from .consortia import Consortium, make_consortium
from .oracle import DONE, Machine, What, runner_verdict

DECISIONS = 150
SEED = int(os.environ.get("ORACLE_SEED", "1"))

Machines = dict[Machine, APIClient]


def machines_of(found: Consortium) -> Machines:
    """Make two runners of each organisation, a third one that is revoked, and a job of each."""
    machines = {}
    for organization in Organization.objects.filter(pk__in=found.organizations):
        for number in range(3):
            runner, secret = create_runner(organization, name=f"ward {number}")
            _add_job(found, runner)
            machine = Machine(str(runner.pk), organization.pk, revoked=number == 2)
            if machine.revoked:
                revoke_runner(runner)
            machines[machine] = APIClient(HTTP_AUTHORIZATION=f"Token {secret}")
    return machines


def _add_job(found: Consortium, runner: Runner) -> None:
    owner, agent = runner.organization_id, runner.agent
    member = next(user for user in found.users.values() if user.organization_id == owner)
    member.role = "member"
    function = builders.make_aggregate(member, inputs=())
    task = builders.aggregate_task(function, owner)
    builders.make_plan(member, task)
    for status in (FunctionStatus.BUILDING, FunctionStatus.READY):
        move_function(function.key, status, agent)
    move_tasks([task.key], TaskStatus.EXECUTING, agent)
    (job,) = begin_jobs(runner, "task", {task.key: 0}, timezone.now())
    found.add("job", job, owner, name=str(runner.pk))


def get(path: str) -> Callable[[APIClient, What], Any]:
    return lambda client, what: client.get(path.format(key=what.row.pk))


def post(path: str, **body: Any) -> Callable[[APIClient, What], Any]:
    url = f"/api/runner/job/{{key}}/{path}/"
    return lambda client, what: client.post(url.format(key=what.row.pk), body, format="json")


def renew(client: APIClient, what: What) -> str | Any:
    key = str(what.row.pk)
    answer = client.post("/api/runner/renew/", {"jobs": [key]}, format="json")
    return (
        "refused" if answer.status_code == 200 and "stop" in answer.json()["jobs"][key] else answer
    )


def send_model(client: APIClient, what: What) -> Any:
    query = {"identifier": "model", "checksum": hashlib.sha256(b"w").hexdigest(), "size": 1}
    path = f"/api/runner/job/{what.row.pk}/model/{uuid4()}/?{urlencode(query)}"
    return client.put(path, b"w", content_type="application/octet-stream")


# Right, kind of thing, how it is sent.
ATTEMPTS: list[tuple[str, str, Callable[[APIClient, What], Any]]] = [
    ("process", "dataset", get("/api/data_manager/{key}/opener/")),
    ("process", "model", get("/api/model/{key}/file/")),
    ("read data", "sample", get("/api/data_sample/{key}/file/")),
    ("report", "job", get("/api/runner/job/{key}/function/")),
    ("report", "job", renew),
    ("report", "job", send_model),
    ("report", "job", post("steps", steps={"task_execution": 1})),
    ("report", "job", post("fail", error_type="INTERNAL_ERROR")),
    ("report", "job", post("give_back")),
    ("users' address", "dataset", get("/api/data_manager/{key}/")),
    ("users' address", "dataset", get("/api/data_manager/{key}/description/")),
    ("users' address", "function", get("/api/function/{key}/file/")),
    ("users' address", "task", get("/api/task/{key}/logs/")),
]


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [SEED, SEED + 1])
def test_runners_get_and_report_what_the_contract_says(seed, settings, tmp_path):
    settings.MODEL_EXPORT_ENABLED, settings.VAR_DIR = False, tmp_path
    found = make_consortium(seed)
    machines = machines_of(found)
    wrong = []
    for _ in range(DECISIONS):
        machine = found.random.choice(list(machines))
        right, kind, send = found.random.choice(ATTEMPTS)
        what = found.one(kind)
        if kind == "job" and found.random.random() < 0.3:
            what = next(job for job in found.things["job"] if job.name == machine.name)
        expected = runner_verdict(machine, right, what)
        with rolled_back():
            before = row_counts()
            answer = send(machines[machine], what)
            if not isinstance(answer, str):
                if answer.streaming:
                    answer.getvalue()
                answer = outcome(answer)
            if answer != DONE:
                assert row_counts() == before
        if answer != expected:
            wrong.append(f"{right} of {kind}: {expected}, but was {answer}; {machine}, {what}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.django_db
def test_runners_claim_what_is_their_organisations():
    found = make_consortium(SEED)
    for machine, client in machines_of(found).items():
        answer = client.post("/api/runner/claim/", {"jobs": 50, "data_root": True}, format="json")
        if machine.revoked:
            assert answer.status_code == 401
            continue
        for job in answer.json()["jobs"]:
            if job["kind"] == "task":
                owner = Task.objects.get(pk=job["task"]["key"]).worker_id
            else:
                assert job["kind"] == "build"
                owner = Function.objects.get(pk=job["function"]["key"]).owner_id
            assert owner == machine.organization
