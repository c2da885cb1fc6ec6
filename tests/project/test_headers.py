"""The headers that every page has."""

import pytest
from django.test import Client


def policy_of(response) -> dict[str, set[str]]:
    directives = response["Content-Security-Policy"].split(";")
    return {name: set(values) for name, *values in map(str.split, directives)}


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/", "/api/docs/", "/nowhere/"])
def test_nothing_runs_that_is_not_ours(path, db):
    policy = policy_of(Client().get(path))
    assert policy["default-src"] == {"'none'"}
    assert policy["script-src"] == {"'self'"}
    assert policy["frame-ancestors"] == {"'none'"}
    assert policy["base-uri"] == {"'none'"}


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/", "/nowhere/"])
def test_pages_have_no_style_of_their_own(path, db):
    assert policy_of(Client().get(path))["style-src"] == {"'self'"}


def test_pages_of_others_may_style_their_elements(db):
    """The browsable API and the viewers of the documentation do; nothing else."""
    policy = policy_of(Client().get("/api/redoc/"))
    assert policy["style-src"] == {"'self'", "'unsafe-inline'"}
    assert policy["worker-src"] == {"'self'", "blob:"}


def test_pages_are_compressed_and_files_are_not(db):
    client = Client(headers={"accept-encoding": "gzip"})
    assert client.get("/sign-in/")["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in client.get("/api/schema/?format=json")


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/"])
def test_browsers_take_nothing_for_what_it_is_not(path, db):
    response = Client().get(path)
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["X-Frame-Options"] == "DENY"
