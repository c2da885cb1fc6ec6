"""Bodies that are none of ours: what is made of them. Contract 1.4, 1.8."""

import pytest
from django.core.files.base import ContentFile

from assets.datasets.models import Dataset
from tests.builders import (
    dataset_spec,
    plan_spec,
    wire_dataset,
    wire_plan,
)

TASKS = "task/bulk_create/"
POSTS = ["compute_plan/", "task/bulk_create/", "data_sample/", "data_manager/", "function/"]


@pytest.mark.parametrize(
    "text", ["{", "", "nothing", '{"a": NaN}', '{"a": "\\ud800"}', b"\xff"], ids=repr
)
@pytest.mark.parametrize("url", [*POSTS, "data_sample/bulk_update/"])
def test_malformed_json(url, text, api):
    answer = api.post(f"/api/{url}", text, content_type="application/json")
    assert answer.status_code == 400
    assert answer.headers["Content-Type"] == "application/json"
    if text:
        assert answer.json()["detail"].startswith("JSON parse error - ")


@pytest.mark.parametrize("text", ["[]", "[1]", "null", "1", '"text"', "true"])
@pytest.mark.parametrize("url", [*POSTS, "data_sample/bulk_update/"])
def test_json_that_is_no_object(url, text, api):
    answer = api.post(f"/api/{url}", text, content_type="application/json")
    assert answer.status_code == 400


@pytest.mark.parametrize("resource", ["data_manager", "function", "compute_plan"])
@pytest.mark.parametrize(
    "body", [{}, {"name": None}, {"name": ""}, {"name": 5}, {"title": "x"}], ids=str
)
def test_a_rename_without_a_name(resource, body, api, world):
    key = {"data_manager": world.dataset, "function": world.train, "compute_plan": world.plan}[
        resource
    ].key
    answer = api.put(f"/api/{resource}/{key}/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("OE0101: ")
    assert answer.json()["problems"][0]["field"] == "name"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "application/octet-stream"]
)
def test_other_media_types(content_type, api):
    answer = api.post("/api/compute_plan/", b"x", content_type=content_type)
    assert answer.status_code == 415
    assert answer.json() == {"detail": f'Unsupported media type "{content_type}" in request.'}


@pytest.mark.parametrize("url", ["compute_plan/", "compute_plan/{plan}/tasks/", TASKS])
def test_tasks_that_are_too_large(url, api, settings, world):
    settings.MAX_JSON_SIZE = 1000
    answer = api.post(f"/api/{url.format(plan=world.plan.key)}", {"a": "x" * 20_000}, format="json")
    assert answer.status_code == 413
    assert "add_compute_plan_tasks" in answer.json()["detail"]
    assert "MAX_JSON_SIZE" in answer.json()["detail"]


@pytest.mark.parametrize("url", ["data_sample/bulk_update/", "compute_plan/{plan}/cancel/"])
def test_other_json_has_a_limit_of_its_own(url, api, settings, world):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    url = f"/api/{url.format(plan=world.plan.key)}"
    answer = api.post(url, {"data_sample_keys": ["x" * 20_000]}, format="json")
    if "cancel" in url:  # its body is not read
        assert answer.status_code == 200
    else:
        assert answer.status_code == 413
        assert answer.json()["detail"].endswith("send less at a time, in several requests.")


def test_a_json_part_that_is_too_large(api, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    spec = dataset_spec(metadata={f"k{n}": "v" * 90 for n in range(20)})
    answer = api.post("/api/data_manager/", wire_dataset(spec))
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/json"
    assert not Dataset.objects.exists()


def test_a_cancel_needs_no_body(api, world):
    answer = api.generic("POST", f"/api/compute_plan/{world.plan.key}/cancel/", content_type="")
    assert answer.status_code == 200


def test_a_large_body_is_read(api):
    """The SDK repeats all of a plan's tasks in one body; 3 MB is more than Django's own limit."""
    body = {**wire_plan(plan_spec()), "ignored": "x" * 3_000_000}
    assert api.post("/api/compute_plan/", body, format="json").status_code == 201


TWICE = '{"name": "Twice", "metadata": {"ward": "7", "ward": "8"}}'


@pytest.mark.parametrize("where", ["part", "file", "form field"])
def test_a_key_that_is_given_twice(where, api):
    files = {name: part for name, part in wire_dataset(dataset_spec()).items() if name != "json"}
    body = {
        "part": {"json": TWICE},
        "file": {"json": ContentFile(TWICE.encode(), "spec.json")},
        "form field": {"name": "Twice", "metadata": '{"ward": "7", "ward": "8"}'},
    }[where]
    answer = api.post("/api/data_manager/", files | body)
    assert answer.status_code == 400
    assert 'the key \\"ward\\" twice' in answer.content.decode()
    assert not Dataset.objects.exists()


def test_a_key_that_is_given_twice_in_a_body(api):
    body = '{"key": "x", "metadata": {"ward": "7", "ward": "8"}}'
    answer = api.post("/api/compute_plan/", body, content_type="application/json")
    assert answer.status_code == 400
    message = (
        'JSON parse error - The JSON has the key "ward" twice in one object. Remove one of the two.'
    )
    assert answer.json() == {"detail": message}


@pytest.mark.parametrize(
    ("path", "accept", "message"),
    [
        ("/task/", "application/json;version=0.0", "the base URL http://testserver/api"),
        ("/api-token-auth/", "application/json", "the base URL http://testserver/api"),
        ("/nothing/", "application/json", "Not found."),
        ("/task/", "text/html,application/json", "<html"),
        ("/task/", "*/*", "<html"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_base_url_without_api(path, accept, message, method, client):
    answer = getattr(client, method)(path, headers={"accept": accept})
    assert answer.status_code == 404
    assert message in answer.content.decode()
