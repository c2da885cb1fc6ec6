"""Pages that say what went wrong, and what to do next."""

import pytest
from django.core.exceptions import SuspiciousOperation
from django.test import Client

from assets.overview import pages as overview

FRAME = 'class="sidebar"'


def test_an_address_that_leads_nowhere(session_of, alice):
    answer = session_of(alice).get("/nowhere/")
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "Page not found" in text
    assert "Check the address" in text
    assert 'id="search-again"' in text
    assert FRAME in text


def test_strangers_are_shown_too(db):
    answer = Client().get("/nowhere/")
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "Check the address" in text
    assert FRAME not in text
    assert "search-again" not in text


def test_an_asset_that_is_not_there_is_named(session_of, alice):
    answer = session_of(alice).get("/datasets/1234/")
    assert answer.status_code == 404
    assert "No dataset has the key &quot;1234&quot;." in answer.content.decode()


def test_the_api_answers_in_its_own_way(client_of, alice):
    answer = client_of(alice).get("/api/nowhere/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize(
    ("path", "back"),
    [("/organisations/new/", 'href="/account/"'), ("/admin/assets/event/add/", 'href="/admin/"')],
)
def test_what_one_may_not_do(path, back, session_of, alice):
    answer = session_of(alice).get(path)
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "Not permitted" in text
    assert back in text.split('id="content"')[1]
    assert FRAME in text


@pytest.mark.parametrize("signed_in", [True, False])
def test_a_form_that_is_not_ours(signed_in, alice):
    browser = Client(enforce_csrf_checks=True)
    if signed_in:
        browser.force_login(alice)
    answer = browser.post("/sign-in/", {"username": "alice"})
    text = answer.content.decode()
    assert answer.status_code == 403
    assert "This form has expired" in text
    assert "Nothing was changed." in text
    assert (FRAME in text) == signed_in


def failing(error):
    def get(self, request, *args, **kwargs):
        raise error

    return get


def test_what_the_browser_should_not_have_sent(session_of, alice, monkeypatch):
    monkeypatch.setattr(overview.HomePage, "get", failing(SuspiciousOperation("no")))
    answer = session_of(alice).get("/")
    assert answer.status_code == 400
    assert "Bad request" in answer.content.decode()


def test_a_fault_of_ours(session_of, alice, monkeypatch):
    monkeypatch.setattr(overview.HomePage, "get", failing(RuntimeError("secret detail")))
    browser = session_of(alice)
    browser.raise_request_exception = False
    answer = browser.get("/")
    text = answer.content.decode()
    assert answer.status_code == 500
    assert "Something went wrong" in text
    assert "secret detail" not in text


def test_a_fault_is_shown_without_a_database(client, monkeypatch):
    """What failed may be what the frame needs."""
    monkeypatch.setattr(overview.HomePage, "dispatch", failing(RuntimeError("no")))
    client.raise_request_exception = False
    assert client.get("/").status_code == 500
