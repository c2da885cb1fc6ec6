"""How much a request may send: little before somebody has signed in, at every interface."""

import json

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client

from tests.builders import dataset_spec, upload, wire_dataset

LARGE = "x" * (settings.SMALL_BODY_SIZE + 1)
INTERFACES = ["/sign-in/", "/admin/login/", "/api/session/login/", "/set-password/MQ/set-password/"]
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("interface", INTERFACES)
def test_pages_for_anybody_take_little(interface, client):
    answer = client.post(interface, {"username": LARGE, "password": "x"}, follow=True)
    assert answer.status_code == 413
    assert "Sign in to send more than" in answer.content.decode()


@pytest.mark.parametrize("content_type", [JSON, FORM, "multipart/form-data; boundary=edge"])
def test_signing_in_to_the_api_takes_little(content_type, client):
    body = json.dumps({"username": LARGE}) if content_type == JSON else LARGE
    answer = client.post("/api/api-token-auth/", body, content_type=content_type)
    assert answer.status_code == 413
    assert answer.json()["detail"].startswith("Sign in to send more than 16")


@pytest.mark.parametrize("interface", ["/sign-in/", "/api/api-token-auth/"])
def test_interfaces_for_anybody_take_no_files(interface, client):
    file = ContentFile(b"x", "x.txt")
    answer = client.post(interface, {"username": "alice", "password": "x", "file": file})
    assert answer.status_code == 413
    assert "Sign in to send files." in answer.content.decode()


def test_who_is_unknown_is_shown_so_whatever_is_sent(client):
    for content_type in (JSON, FORM):
        answer = client.post("/api/compute_plan/", LARGE * 2, content_type=content_type)
        assert answer.status_code == 401


def test_a_request_with_files_has_a_limit_of_its_own(api, settings):
    settings.MAX_REQUEST_SIZE = 20_000
    body = wire_dataset(dataset_spec())
    assert api.post("/api/data_manager/", body).status_code == 201
    answer = api.post("/api/data_manager/", body | {"data_opener": upload(bytes(20_000))})
    assert answer.status_code == 413
    assert answer.json()["detail"].endswith("send fewer files at a time.")


def test_a_page_that_refuses_a_large_body_names_the_limit(session_of, alice, settings):
    settings.MAX_REQUEST_SIZE = 20_000
    browser: Client = session_of(alice)
    answer = browser.post("/datasets/new/", {"data_opener": ContentFile(bytes(20_000), "o.py")})
    assert answer.status_code == 413
    assert "send fewer files at a time" in answer.content.decode()
