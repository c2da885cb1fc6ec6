"""Bodies with many tasks: read from disk, and what is answered is as for small ones."""

import json
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest

from assets.accounts.api.authentication import admitted
from assets.accounts.models import User
from assets.common import large_json
from assets.common.api import parsers
from assets.common.ops import body_limits
from assets.compute.models import ComputePlan, Task
from assets.compute.specs import ComputePlanSpec, TaskSpec
from project.requests import Limits, Request
from tests.builders import plan_spec, training_task, wire_plan, wire_task

PLAN, TASKS = "/api/compute_plan/", "/api/task/bulk_create/"


@pytest.fixture(autouse=True)
def read_from_disk(monkeypatch) -> list[Any]:
    """Read bodies of any size as large ones; return the files that they were read from."""
    files = []

    def remembered(body: body_limits.LimitedBody) -> Any:
        files.append(taken(body))
        return files[-1]

    taken = body_limits.LimitedBody.file
    monkeypatch.setattr(body_limits.LimitedBody, "file", remembered)
    monkeypatch.setattr(parsers, "PART", 0)
    monkeypatch.setattr(large_json, "PART", 4_000)
    monkeypatch.setattr(large_json, "SMALL_ITEM", 500)
    return files


@pytest.fixture
def spec(world) -> ComputePlanSpec:
    return plan_spec(tasks=[_task(world, tag=f"task {n}") for n in range(9)])


def _task(world, **changes: Any) -> TaskSpec:
    return training_task(world.dataset, world.samples * 15, world.train, **changes)


def test_a_plan_and_its_tasks_again(api, spec, read_from_disk):
    """As the SDK sends them: all at once, and then in batches."""
    assert api.post(PLAN, wire_plan(spec), format="json").status_code == 201
    batch = {"tasks": [wire_task(task, spec.key) for task in spec.tasks]}
    answer = api.post(TASKS, batch, format="json")
    assert [task["inputs"] for task in answer.json()] == [task["inputs"] for task in batch["tasks"]]
    assert Task.objects.count() == len(spec.tasks)
    url = f"{PLAN}{spec.key}/tasks/"
    assert api.post(url, batch, format="json").json() == answer.json()
    assert len(read_from_disk) == 3


@pytest.mark.parametrize("url", ["/api/data_sample/bulk_update/", f"{PLAN}x/"])
def test_other_bodies_are_read_into_memory(url, api, read_from_disk):
    api.put(url, {"name": "x"}, format="json")
    api.post(url, {"tasks": []}, format="json")
    assert not read_from_disk


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("{", "JSON parse error - "),
        ('{"tasks": [{"a": NaN}', "JSON parse error - "),
        ('{"tasks": [{"a": 1, "a": 2}]}', 'JSON parse error - tasks[0]: The JSON has the key "a" '),
        ('{"key": 1, "tasks": [], "key": 2}', 'JSON parse error - The JSON has the key "key" '),
    ],
)
@pytest.mark.parametrize("url", [PLAN, TASKS])
def test_malformed_json(url, text, detail, api):
    answer = api.post(url, text, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize("tasks", ["text", {"a": 1}, [1], [{}, "text"], [{"inputs": 7}]], ids=str)
def test_tasks_that_are_none(tasks, api, spec, read_from_disk):
    body = wire_plan(spec) | {"tasks": tasks}
    answers = [api.post(PLAN, body, format="json"), api.post(TASKS, body, format="json")]
    assert {answer.status_code for answer in answers} == {400}
    assert len(read_from_disk) == 2
    assert not ComputePlan.objects.filter(key=spec.key).exists()


def test_problems_are_at_the_item(api, spec, world):
    batch = {"tasks": [wire_task(task, spec.key) for task in spec.tasks]}
    batch["tasks"][7]["inputs"][3]["asset_key"] = "nothing"
    batch["tasks"][8]["tag"] = 5
    problems = api.post(TASKS, batch, format="json").json()["problems"]
    fields = [problem["field"] for problem in problems]
    assert fields == ["tasks[7].inputs[3].asset_key", "tasks[8].tag"]


def test_a_viewer_is_refused(world, client_of, spec):
    answer = client_of(world.users["victor"]).post(PLAN, {"tasks": "no list"}, format="json")
    assert answer.status_code == 403


def test_a_repeated_request_has_the_same_bytes(api, spec):
    """The body is not decoded once more for a digest of its values."""
    send = {"content_type": "application/json", "headers": {"Idempotency-Key": "k"}}
    text = json.dumps(wire_plan(spec))
    assert [api.post(PLAN, text, **send).status_code for _ in range(2)] == [201, 201]
    assert api.post(PLAN, text + " ", **send).status_code == 422
    assert ComputePlan.objects.filter(key=spec.key).count() == 1


def test_the_file_that_our_server_has_received_is_not_copied():
    received = Request(Limits(small_body=10**6))
    received.received(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n")
    for _ in range(5):
        received.received(b"x" * 100_000)
    environ = received.environ() | {"CONTENT_TYPE": "application/json", "SERVER_NAME": "x"}
    request: Any = WSGIRequest(environ)
    request.user = User()
    file = body_limits.LimitedBody(request, environ["wsgi.input"], 500_000).file()
    assert file is environ["wsgi.input"]
    assert file.fileno()
    assert len(file.read()) == 500_000
    received.close()


@pytest.mark.parametrize(
    ("method", "path", "content_type", "limit"),
    [
        ("POST", PLAN, "application/json; charset=utf-8", "MAX_JSON_SIZE"),
        ("POST", "/api/sdk-0.49/compute_plan/", "application/json", "MAX_JSON_SIZE"),
        ("POST", f"{PLAN}some-key/tasks/", "application/json", "MAX_JSON_SIZE"),
        ("POST", TASKS, "Application/JSON", "MAX_JSON_SIZE"),
        ("POST", TASKS, "application/x-www-form-urlencoded", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("POST", TASKS, "multipart/form-data; boundary=x", "MAX_REQUEST_SIZE"),
        ("POST", TASKS, "text/plain", "SMALL_BODY_SIZE"),
        ("PUT", f"{PLAN}some-key/", "application/json", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("POST", f"{PLAN}some-key/cancel/", "application/json", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("POST", "/api/data_sample/", "application/json", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
        ("POST", "/nothing/", "application/json", "DATA_UPLOAD_MAX_MEMORY_SIZE"),
    ],
)
def test_what_the_server_admits(
    method, path, content_type, limit, world, api, settings, rf, monkeypatch
):
    # The connection has the transaction of the test.
    monkeypatch.setattr("assets.accounts.api.authentication.close_old_connections", bool)
    request = {"REQUEST_METHOD": method, "PATH_INFO": path, "CONTENT_TYPE": content_type}
    environ = rf._base_environ() | request
    assert admitted(dict(environ)) == 0
    token = {"HTTP_AUTHORIZATION": api.defaults["HTTP_AUTHORIZATION"]}
    assert admitted(environ | token) == getattr(settings, limit)
