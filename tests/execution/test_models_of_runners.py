"""Models that runners send: in one part or several, once, and only as announced."""

import hashlib
from datetime import timedelta
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.compute.models import Model, Task
from assets.compute.registration import cancel_compute_plan
from assets.execution.models import Job
from assets.execution.registration import arrivals
from assets.integrity import tidy_up
from tests import builders
from tests.cast import A

from .runners import StandIn

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

WEIGHTS = b"weights of a model" * 1000


@pytest.fixture(autouse=True)
def _apart(settings, tmp_path) -> None:
    settings.VAR_DIR = tmp_path


@pytest.fixture
def job(alice, ward):
    """A job at a task whose output is a model."""
    function = builders.make_aggregate(alice, inputs=())
    builders.make_plan(alice, builders.aggregate_task(function, A))
    ward.report(ward.claim()[0], "finish")
    (found,) = ward.claim()
    return found


def put(ward: StandIn, job, key, content: bytes = WEIGHTS, *, part: slice = slice(None), **changes):
    query = {
        "identifier": "model",
        "checksum": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "offset": part.start or 0,
        **changes,
    }
    path = f"/api/runner/job/{job['key']}/model/{key}/?{urlencode(query)}"
    return ward.client.put(path, content[part], content_type="application/octet-stream")


def has(ward: StandIn, job, key) -> int:
    found: int = ward.get(f"job/{job['key']}/model/{key}/").json()["received"]
    return found


def left() -> list:
    return [path for path in arrivals.folder().rglob("*") if path.is_file()]


def test_whole(ward, job):
    key = uuid4()
    # The answer may be lost.
    for _ in range(2):
        answer = put(ward, job, key)
        assert (answer.status_code, answer.json()["key"]) == (201, str(key))
    model = Model.objects.get()
    assert (model.key, model.file_size, model.owner_id) == (key, len(WEIGHTS), A)
    with model.file as file:
        assert file.read() == WEIGHTS
    assert has(ward, job, key) == len(WEIGHTS)
    assert left() == []
    assert ward.report(job, "finish").status_code == 200
    assert Task.objects.get(pk=job["task"]["key"]).status == "STATUS_DONE"


def test_in_parts(ward, job):
    key = uuid4()
    assert has(ward, job, key) == 0
    first = put(ward, job, key, part=slice(0, 7000))
    assert (first.status_code, first.json()) == (200, {"received": 7000})
    # The answer was lost, and the part comes again.
    again = put(ward, job, key, part=slice(0, 7000))
    assert (again.status_code, again.json()["received"]) == (409, 7000)
    beyond = put(ward, job, key, part=slice(9000, None))
    assert (beyond.status_code, beyond.json()["received"]) == (409, 7000)
    assert has(ward, job, key) == 7000
    assert put(ward, job, key, part=slice(7000, None)).status_code == 201
    with Model.objects.get().file as file:
        assert file.read() == WEIGHTS


def test_empty_model(ward, job):
    assert put(ward, job, uuid4(), b"").status_code == 201
    assert Model.objects.get().file_size == 0


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"checksum": "0" * 64}, 400),
        ({"checksum": "none"}, 400),
        ({"size": len(WEIGHTS) - 1}, 400),
        ({"size": -1}, 400),
        ({"size": 2**60}, 400),
        ({"offset": -1}, 400),
        ({"identifier": "other"}, 400),
        ({"identifier": ""}, 400),
    ],
    ids=str,
)
def test_other_than_announced(ward, job, changes, status):
    key = uuid4()
    assert put(ward, job, key, **changes).status_code == status
    assert not Model.objects.exists()
    assert left() == []
    assert put(ward, job, key).status_code == 201


def test_one_model_for_an_output(ward, job):
    assert put(ward, job, uuid4()).status_code == 201
    refused = put(ward, job, uuid4())
    assert refused.status_code == 409
    assert "received" not in refused.json()
    assert Model.objects.count() == 1


def test_key_of_another_model(ward, job):
    key = uuid4()
    put(ward, job, key)
    assert put(ward, job, key, b"other weights").status_code == 409


@pytest.mark.parametrize("end", ["give_back", "fail"])
def test_nothing_comes_after_the_end(ward, job, end):
    key = uuid4()
    put(ward, job, key, part=slice(0, 10))
    ward.report(job, end, **({"error_type": "EXECUTION_ERROR"} if end == "fail" else {}))
    assert left() == []
    assert put(ward, job, key, part=slice(10, None)).status_code == 409
    assert put(ward, job, uuid4()).status_code == 409
    assert not Model.objects.exists()


def test_cancelled(ward, job, alice):
    cancel_compute_plan(Task.objects.get(pk=job["task"]["key"]).compute_plan_id, alice)
    assert put(ward, job, uuid4()).status_code == 409
    assert left() == []


def test_what_lost_jobs_leave_is_tidied(ward, job):
    put(ward, job, uuid4(), part=slice(0, 10))
    # Such as a disk of its own has.
    (arrivals.folder() / "lost+found").mkdir()
    tidy_up()
    assert len(left()) == 1
    Job.objects.update(ended_at="2026-01-01T00:00Z", outcome=Job.Outcome.LOST)
    tidy_up()
    assert left() == []


def test_finish_needs_the_model(ward, job):
    refused = ward.report(job, "finish")
    assert refused.status_code == 409
    assert 'Output "model"' in refused.json()["detail"]


def test_sizes(ward, job, settings):
    settings.MAX_UPLOAD_SIZE = 1000
    assert put(ward, job, uuid4()).status_code == 400
    assert put(ward, job, uuid4(), size=1000).status_code == 413
    builds = ward.client.put(
        f"/api/runner/job/{job['key']}/model/{uuid4()}/", {}, content_type="application/json"
    )
    assert builds.status_code == 415


@pytest.mark.parametrize("is_lost", [True, False])
def test_the_next_attempt_sends_its_own_model(
    ward, job, is_lost, django_capture_on_commit_callbacks
):
    first = uuid4()
    assert put(ward, job, first).status_code == 201
    name = Model.objects.get().file.name
    if is_lost:
        expired = timezone.now() - timedelta(seconds=1)
        Job.objects.filter(pk=job["key"]).update(expires_at=expired)
    else:
        ward.report(job, "give_back")
    other = StandIn(A, "other")
    (again,) = other.claim()
    assert again["task"] == job["task"]
    # The answer may be lost.
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            answer = put(other, again, uuid4(), b"other weights")
        assert (answer.status_code, answer.json()["key"]) == (201, str(first)), answer.content
    model = Model.objects.get()
    with model.file as file:
        assert file.read() == b"other weights"
    assert not model.file.storage.exists(name)
    # Whoever lost the job sends nothing any more.
    assert put(ward, job, uuid4()).status_code == 409
    assert other.report(again, "finish").status_code == 200
    assert Model.objects.get().file_checksum == hashlib.sha256(b"other weights").hexdigest()
