"""The OpenAPI description and its pages, and whether the server lives."""

import io
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import DatabaseError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from assets.datasets.serializers import DatasetSerializer

from .test_browsable import read


@pytest.fixture(scope="module")
def schema() -> dict:
    """The description; any warning while it is made, or anything invalid in it, is an error."""
    out = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=out)
    return yaml.safe_load(out.getvalue())


def test_the_schema_is_valid(schema):
    assert schema["openapi"].startswith("3.1")
    assert schema["info"]["title"] == "Registrar"


# Every address of the contract, and what may be done there.
PATHS = {
    "data_manager/": "get post",
    "data_manager/{key}/": "get put",
    "data_manager/{key}/opener/": "get",
    "data_manager/{key}/description/": "get",
    "data_sample/": "get post",
    "data_sample/{key}/": "get",
    "data_sample/{key}/look/": "get post",
    "data_sample/bulk_update/": "post",
    "function/": "get post",
    "function/{key}/": "get put",
    "function/{key}/file/": "get",
    "function/{key}/description/": "get",
    "function/{key}/image/": "get",
    "compute_plan/": "get post",
    "compute_plan/{key}/": "get put",
    "compute_plan/{key}/cancel/": "post",
    "compute_plan/{key}/tasks/": "post",
    "compute_plan/{key}/task/": "get",
    "compute_plan/{key}/functions/": "get",
    "compute_plan/{key}/perf/": "get",
    "compute_plan/{key}/workflow_graph/": "get",
    "task/": "get",
    "task/{key}/": "get",
    "task/bulk_create/": "post",
    "task/{key}/input_assets/": "get",
    "task/{key}/output_assets/": "get",
    "task/{key}/logs/": "get",
    "logs/{key}/file/": "get",
    "model/": "get",
    "model/{key}/": "get",
    "model/{key}/file/": "get",
    "task_profiling/": "get post",
    "task_profiling/{key}/": "get put",
    "task_profiling/{key}/step/": "post",
    "task_profiling/{key}/step/{step}/": "put",
    "function/{key}/profiling/": "get",
    "performance/": "get",
    "performance/export/": "get",
    "trial/": "get post",
    "trial/{key}/": "get",
    "news_feed/": "get",
    "compute_plan_metadata/": "get",
    "organization/": "get",
    "info/": "get",
    "api-token-auth/": "post",
    "api-token/": "post",
    "active-api-tokens/": "get delete",
    "data_sample/{key}/file/": "get",
    "runner/claim/": "post",
    "runner/renew/": "post",
    "runner/job/{key}/function/": "get",
    "runner/job/{key}/model/{model}/": "get put",
    "runner/job/{key}/steps/": "post",
    "runner/job/{key}/finish/": "post",
    "runner/job/{key}/fail/": "post",
    "runner/job/{key}/give_back/": "post",
}


@pytest.mark.parametrize(("path", "methods"), PATHS.items())
def test_paths(path, methods, schema):
    assert sorted(schema["paths"][f"/api/{path}"]) == sorted(methods.split())


def test_older_dialects_are_not_described_again(schema):
    assert not [path for path in schema["paths"] if "sdk-" in path]


def _answer(schema, path, method, status):
    content = schema["paths"][f"/api/{path}"][method]["responses"][status]["content"]
    return next(iter(content.values()))["schema"]


def test_what_lists_and_creates_answer(schema):
    page = {"$ref": "#/components/schemas/PaginatedTaskList"}
    assert _answer(schema, "task/", "get", "200") == page
    assert _answer(schema, "compute_plan/{key}/task/", "get", "200") == page
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Task"}}
    for path in ("task/bulk_create/", "compute_plan/{key}/tasks/"):
        assert _answer(schema, path, "post", "200") == rows
    assert _answer(schema, "data_sample/", "post", "201")["type"] == "array"


def test_files_are_binary(schema):
    responses = schema["paths"]["/api/data_manager/{key}/opener/"]["get"]["responses"]
    assert list(responses["200"]["content"]) == ["application/octet-stream"]


def test_filters_are_described(schema):
    found = {item["name"] for item in schema["paths"]["/api/task/"]["get"]["parameters"]}
    expected = """key owner rank worker tag status compute_plan_key function_key match metadata
    creation_date_after creation_date_before start_date_after start_date_before end_date_after
    end_date_before duration_min duration_max ordering page page_size"""
    assert found == set(expected.split())
    sent = schema["paths"]["/api/task/bulk_create/"]["post"].get("parameters", [])
    assert [item["name"] for item in sent] == ["Idempotency-Key"]


def test_objects_are_described_with_their_fields(schema):
    dataset = schema["components"]["schemas"]["Dataset"]
    assert set(dataset["properties"]) == set(DatasetSerializer().fields)
    assert set(dataset["required"]) == set(DatasetSerializer().fields)


def _objects(value, path=""):
    """Yield every object of the description, with where it is."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, dict):
        yield path, value
    for name, item in items:
        if isinstance(item, dict | list):
            yield from _objects(item, f"{path}/{name}")


def test_what_may_be_null_takes_null(schema):
    """`oneOf` refuses what fits two of its choices, so null fits one of them at most."""
    seen = []
    for path, found in _objects(schema):
        if isinstance(choices := found.get("oneOf"), list):
            fits = [
                jsonschema_rs.is_valid({**choice, "components": schema["components"]}, None)
                for choice in choices
            ]
            assert sum(fits) < 2, path
            seen += [path] * sum(fits)
    assert len(seen) > 3
    plan = schema["components"]["schemas"]["ComputePlanSpecRequest"]["properties"]
    assert plan["tasks"] == {"description": "Tasks to register with the plan."}


@pytest.mark.django_db
def test_the_schema_is_served(anonymous):
    answer = anonymous.get("/api/schema/", headers={"accept": "*/*"})
    assert answer.status_code == 200
    assert b"openapi: 3.1" in answer.content


@pytest.mark.django_db
def test_the_viewer():
    page = Client(headers={"accept": "text/html"}).get("/api/docs/")
    assert page.status_code == 200
    links = read(page).links
    assert links
    assert [link for link in links if not link.startswith(("/static/", "/api/", "#"))] == []
    for link in links:
        if link.startswith("/static/"):
            assert finders.find(link.removeprefix("/static/")), link
    assert b"//cdn" not in page.content
    assert b"fonts.googleapis" not in page.content


# --- Is it alive? --------------------------------------------------------------------------------

LIVE = ["/livez", "/api/liveness"]
READY = ["/readyz", "/api/readiness"]


@pytest.mark.parametrize("url", [*LIVE, *READY])
@pytest.mark.django_db
def test_well(url, client):
    answer = client.get(url)
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in answer.headers["Cache-Control"]
    assert client.head(url).status_code == 200
    assert client.post(url).status_code == 405


@pytest.mark.parametrize("url", READY)
@pytest.mark.django_db
def test_asking_leaves_nothing_behind(url, client, settings):
    client.get(url)
    assert [path for path in Path(settings.STORAGE_ROOT).rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("url", READY)
@pytest.mark.django_db
def test_storage_that_cannot_be_written(url, client, settings):
    Path(settings.STORAGE_ROOT).write_text("no folder")
    answer = client.get(url)
    assert (answer.status_code, answer.content) == (503, b"not ready: storage")
    assert client.get("/livez").status_code == 200


@pytest.mark.parametrize("url", READY)
@pytest.mark.django_db
def test_a_database_that_does_not_answer(url, client, monkeypatch):
    def broken(recorder):
        raise DatabaseError

    monkeypatch.setattr(MigrationRecorder, "applied_migrations", broken)
    answer = client.get(url)
    assert (answer.status_code, answer.content) == (503, b"not ready: database")
