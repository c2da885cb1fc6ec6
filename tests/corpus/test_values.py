"""Hostile values: too large, too deep, no JSON, no text; refused by name, in few words."""

import json
from uuid import uuid4

import pytest

from assets.compute.models import ComputePlan
from tests import builders
from tests.rules.cases import everything

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

MEGABYTES = 10_000_000
# What an answer may take, whatever was sent.
MOST = 20_000


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


# Metadata, as JSON; the second says whether it is JSON that can be read.
METADATA = {
    "10 MB in a value": (json.dumps({"k": "x" * MEGABYTES}), True),
    "10 MB in a key": (json.dumps({"k" * MEGABYTES: "x"}), True),
    "10 MB of another kind": (json.dumps(["x" * MEGABYTES]), True),
    "a list of 1,000,000": (json.dumps([1] * 1_000_000), True),
    "200 levels": (f'{{"k": {deep(200)}}}', True),
    "300 levels": (f'{{"k": {deep(300)}}}', False),
    "1,000 levels": (f'{{"k": {deep(1_000)}}}', False),
    "100,000 levels": (f'{{"k": {deep(100_000)}}}', False),
    "100,000 levels of objects": ('{"k":' * 100_000 + "1" + "}" * 100_000, False),
    "100,000 levels without end": ("[" * 100_000, False),
    "NaN": ('{"k": NaN}', False),
    "infinity": ('{"k": -Infinity}', False),
    "a number too large for any float": ('{"k": 1e400}', False),
    "an integer of 5,000 digits": (f'{{"k": {"9" * 5000}}}', False),
    "an integer of 30 digits": (f'{{"k": {"9" * 30}}}', True),
    "half a character": ('{"k": "\\ud800"}', False),
    "half a character in a key": ('{"\\udfff": "x"}', False),
    "NUL": ('{"k": "a\\u0000b"}', True),
    "a control character": ('{"k": "a\\u001b[2Jb"}', True),
}


@pytest.fixture
def send(alice, client_of, session_of):
    """Every interface that takes metadata, as a function of its JSON."""
    client, browser = client_of(alice), session_of(alice)

    def by_json(text):
        body = f'{{"key": "{uuid4()}", "name": "x", "metadata": {text}}}'.encode()
        return client.post("/api/compute_plan/", body, content_type="application/json")

    def by_part(text):
        files = {"data_opener": builders.upload(b"x"), "description": builders.upload(b"x")}
        body = {"json": f'{{"name": "x", "metadata": {text}}}', **files}
        return client.post("/api/data_manager/", body, format="multipart")

    def by_form(text):
        body = {"key": str(uuid4()), "name": "x", "metadata": text}
        return client.post("/api/compute_plan/", body, format="multipart")

    def by_form_with_files(text):
        files = {"data_opener": builders.upload(b"x"), "description": builders.upload(b"x")}
        body = {"name": "x", "metadata": text, **files}
        return client.post("/api/data_manager/", body, format="multipart")

    def by_page(text):
        return browser.post("/compute-plans/new/", {"name": "x", "metadata": text, "tasks": ""})

    def by_admin(text):
        body = {"key": str(uuid4()), "name": "x", "metadata": text, "tasks": ""}
        return browser.post("/admin/assets/computeplan/add/", body)

    return {
        "JSON": by_json,
        "part": by_part,
        "form": by_form,
        "form with files": by_form_with_files,
        "page": by_page,
        "admin": by_admin,
    }


@pytest.mark.parametrize("name", METADATA)
def test_metadata_that_cannot_be_is_refused_by_name(send, name):
    text, is_json = METADATA[name]
    before = everything()
    for interface, post in send.items():
        answer = post(text)
        if interface in ("page", "admin"):
            assert answer.status_code == {"page": 422, "admin": 200}[interface], interface
            assert "metadata" in answer.context["form"].errors, interface
            continue
        assert answer.status_code == 400, interface
        assert len(answer.content) < MOST, interface
        body = answer.json()
        if interface in ("JSON", "part") and not is_json:
            assert body["detail"].startswith("JSON parse error - "), interface
        else:
            fields = {problem["field"] for problem in body.get("problems", [])} or set(body)
            assert fields == {"metadata"}, interface
    assert everything() == before


def test_the_mark_of_a_file_that_was_pasted_is_no_metadata(send):
    for interface in ("page", "admin"):
        assert send[interface]('\ufeff{"k": "v"}').status_code == 302
    assert [plan.metadata for plan in ComputePlan.objects.all()] == [{"k": "v"}] * 2
    for interface in ("JSON", "part", "form", "form with files"):  # programs send none
        assert send[interface]('\ufeff{"k": "v"}').status_code == 400


def test_metadata_of_many_entries_are_kept(send):
    metadata = {f"key {number}": "x" * 70 for number in range(100_000)}
    answer = send["JSON"](json.dumps(metadata))
    assert answer.status_code == 201
    assert answer.json()["metadata"] == metadata


LARGE = {
    "10 MB": "x" * MEGABYTES,
    "a huge integer": 2**63,
    "a number": -1.5e300,
    "200 levels": json.loads(deep(200)),
    "a list of 10 MB": ["x" * MEGABYTES],
    "an object of a 10 MB key": {"x" * MEGABYTES: 1},
    "true": True,
}
FIELDS = ("key", "name", "tag", "metadata", "tasks")
TASK_FIELDS = ("key", "function_key", "worker", "tag", "metadata", "inputs", "outputs")


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_value_of_another_kind_is_refused_in_few_words(alice, client_of, value):
    client, before = client_of(alice), everything()
    bodies = [{"key": str(uuid4()), "name": "x", field: value} for field in FIELDS]
    task = {"key": str(uuid4()), "function_key": str(uuid4()), "worker": "MyOrg1MSP"}
    bodies += [
        {"key": str(uuid4()), "name": "x", "tasks": [{**task, field: value}]}
        for field in TASK_FIELDS
    ]
    for body in bodies:
        answer = client.post("/api/compute_plan/", body, format="json")
        assert 400 <= answer.status_code < 500, answer.content[:200]
        assert len(answer.content) < MOST, answer.content[:200]
    for field in ("inputs", "outputs", "permissions", "name", "metadata"):
        if (field, type(value)) == ("permissions", dict):
            continue  # what a permission does not know of it passes over
        files = {"file": builders.upload(builders.zip_of(builders.CODE))}
        body = builders.multipart({"name": "x", field: value}, description=builders.upload(b"x"))
        answer = client.post("/api/function/", {**body, **files}, format="multipart")
        assert 400 <= answer.status_code < 500, answer.content[:200]
        assert len(answer.content) < MOST, answer.content[:200]
    for field in ("data_manager_keys", "data_sample_keys"):
        for sent in (value, [value]):
            body = {"data_manager_keys": [], "data_sample_keys": [], field: sent}
            answer = client.post("/api/data_sample/bulk_update/", body, format="json")
            assert 400 <= answer.status_code < 500, answer.content[:200]
            assert len(answer.content) < MOST, answer.content[:200]
    assert everything() == before
