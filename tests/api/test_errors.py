"""Addresses, methods and keys that are none. Contract 1.7."""

import json
from uuid import uuid4

import pytest

from assets.compute.api.plans import ComputePlanViewSet

LISTS = ["data_manager", "data_sample", "function", "compute_plan", "task", "model"]
WORDS = ["Dataset", "DataSample", "Function", "ComputePlan", "Task", "Model"]
RENAMED = ["data_manager", "function", "compute_plan"]


@pytest.mark.parametrize("path", ["nothing/", "nothing", "task/x/nothing/", "sdk-0.51/task/", "é/"])
def test_an_unknown_path(path, api, anonymous):
    for client in (api, anonymous):
        answer = client.get(f"/api/{path}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})
        assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("resource", LISTS)
@pytest.mark.parametrize("key", ["x", "1", "00000000-0000-4000-8000-00000000000g", "a b", "é"])
def test_a_malformed_key(resource, key, api):
    answer = api.get(f"/api/{resource}/{key}/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize(("resource", "word"), list(zip(LISTS, WORDS, strict=True)))
def test_an_unknown_key(resource, word, api):
    answer = api.get(f"/api/{resource}/{uuid4()}/")
    detail = f"No {word} matches the given query."
    assert (answer.status_code, answer.json()) == (404, {"detail": detail})


@pytest.mark.parametrize("resource", RENAMED)
def test_renaming_nothing(resource, api):
    for key in ("x", uuid4()):
        answer = api.put(f"/api/{resource}/{key}/", {"name": "New"}, format="json")
        assert answer.status_code == 404
        assert "detail" in answer.json()


@pytest.mark.parametrize("nested", ["task", "functions", "perf", "workflow_graph"])
def test_what_belongs_to_no_plan(nested, api):
    """Nothing for a plan that is unknown, 400 for what is no key."""
    answer = api.get(f"/api/compute_plan/{uuid4()}/{nested}/")
    assert answer.status_code == 200
    body = answer.json()
    assert not (body["tasks"] if nested == "workflow_graph" else body["results"])
    malformed = api.get(f"/api/compute_plan/x/{nested}/")
    assert malformed.status_code == 400
    assert malformed.json() == {"detail": 'key is not a valid UUID: "x"'}


@pytest.mark.parametrize("nested", ["input_assets", "output_assets"])
def test_what_belongs_to_no_task(nested, api):
    assert api.get(f"/api/task/{uuid4()}/{nested}/").status_code == 404
    assert api.get(f"/api/task/x/{nested}/").status_code == 404


def test_plans_that_take_no_tasks(api):
    for key in ("x", uuid4()):
        answer = api.post(f"/api/compute_plan/{key}/tasks/", {"tasks": []}, format="json")
        assert answer.status_code == 404
    assert api.post("/api/compute_plan/x/cancel/").status_code == 400


FORBIDDEN = [
    *((method, f"/api/{name}/") for name in LISTS for method in ("put", "patch", "delete")),
    *(
        (method, f"/api/{name}/{{key}}/")
        for name in LISTS
        for method in ("post", "patch", "delete")
    ),
    *(("put", f"/api/{name}/{{key}}/") for name in ("data_sample", "task", "model")),
    ("post", "/api/task/"),
    ("post", "/api/model/"),
    ("get", "/api/task/bulk_create/"),
    ("get", "/api/data_sample/bulk_update/"),
    ("get", "/api/compute_plan/{key}/cancel/"),
    ("get", "/api/compute_plan/{key}/tasks/"),
    ("put", "/api/compute_plan/{key}/cancel/"),
    ("post", "/api/compute_plan/{key}/task/"),
    ("post", "/api/compute_plan/{key}/perf/"),
    ("post", "/api/data_manager/{key}/opener/"),
    ("post", "/api/function/{key}/file/"),
    ("post", "/api/model/{key}/file/"),
    ("post", "/api/task/{key}/logs/"),
    ("post", "/api/performance/"),
    ("post", "/api/performance/export/"),
    ("post", "/api/news_feed/"),
    ("post", "/api/compute_plan_metadata/"),
    ("delete", "/api/logs/{key}/file/"),
]


@pytest.mark.parametrize(("method", "url"), FORBIDDEN)
def test_methods(method, url, api):
    answer = getattr(api, method)(url.format(key=uuid4()))
    detail = f'Method "{method.upper()}" not allowed.'
    assert (answer.status_code, answer.json()) == (405, {"detail": detail})


@pytest.mark.parametrize("url", [f"/api/{name}/" for name in LISTS])
def test_head_and_options(url, api):
    assert api.head(url).status_code == 200
    answer = api.options(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["parses"]


def test_a_refusal_shows_all_problems(api):
    body = {"key": str(uuid4()), "name": "", "tag": "t" * 101}
    answer = api.post("/api/compute_plan/", body, format="json")
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "OE0101: computeplan is not valid: name: cannot be blank. "
        "Enter up to 100 characters.",
        "problems": [
            {
                "code": "OE0101",
                "field": "name",
                "message": "cannot be blank. Enter up to 100 characters.",
            },
            {
                "code": "OE0101",
                "field": "tag",
                "message": "the length must be between 0 and 100. This has 101 characters. "
                "Shorten it.",
            },
        ],
    }


def test_a_refusal_shows_at_most_a_hundred(api):
    body = {"tasks": [{"key": "x"}] * 300}
    answer = api.post("/api/task/bulk_create/", body, format="json")
    assert len(answer.json()["problems"]) == 100


@pytest.mark.parametrize("method", ["post", "put"])
def test_what_is_sent_is_never_redirected(method, api):
    for url in ("/api/compute_plan", f"/api/compute_plan/{uuid4()}", "/api/task/bulk_create"):
        assert getattr(api, method)(url, {}, format="json").status_code == 404


def test_a_fault_of_ours_is_shown_as_json(api, monkeypatch):
    def broken(*args):
        raise RuntimeError("secret")

    monkeypatch.setattr(ComputePlanViewSet, "answer_list", broken)
    api.raise_request_exception = False
    answer = api.get("/api/compute_plan/")
    assert answer.status_code == 500
    assert "secret" not in json.dumps(answer.json())
