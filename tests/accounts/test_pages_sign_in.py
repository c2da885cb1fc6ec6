"""Signing in and out in a browser, and passwords."""

import re
from datetime import datetime, timedelta

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from assets.accounts.registration.passwords import create_reset_token
from assets.accounts.registration.users import set_active
from tests.cast import PASSWORD

SIGN_IN = "/sign-in/"
NEW = "another-long-password"


def sign_in(browser, username="alice", password=PASSWORD, **values):
    return browser.post(SIGN_IN, {"username": username, "password": password, **values})


# --- In and out ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("", "/"),
        ("/datasets/?q=blood", "/datasets/?q=blood"),
        ("https://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_signing_in_leads_where_one_wanted_to_go_on_this_server(wanted, leads_to, alice):
    answer = sign_in(Client(), next=wanted)
    assert (answer.status_code, answer["Location"]) == (302, leads_to)


def test_the_page_keeps_where_one_wanted_to_go(db):
    page = Client().get(f"{SIGN_IN}?next=/tasks/").content.decode()
    assert '<input type="hidden" name="next" value="/tasks/">' in page
    assert "Sign in to see this page" in page


@pytest.mark.parametrize(
    "credentials", [{"password": "wrong"}, {"username": "unknown"}, {"username": "aIice"}]
)
def test_who_is_not_let_in_is_shown_what_to_do(credentials, alice):
    browser = Client()
    answer = sign_in(browser, **credentials)
    assert answer.status_code == 422
    assert "Ask an admin of your organisation for a link" in answer.content.decode()
    assert "_auth_user_id" not in browser.session


def test_who_is_deactivated_is_not_let_in(alice, ada):
    set_active(alice, False, ada)
    assert sign_in(Client()).status_code == 422


def test_who_is_signed_in_already_goes_on(session_of, alice):
    answer = session_of(alice).get(f"{SIGN_IN}?next=/tasks/")
    assert (answer.status_code, answer["Location"]) == (302, "/tasks/")


def test_only_what_is_sent_signs_out(session_of, alice):
    browser = session_of(alice)
    assert browser.get("/sign-out/").status_code == 405
    assert "_auth_user_id" in browser.session
    answer = browser.post("/sign-out/")
    assert (answer.status_code, answer["Location"]) == (302, SIGN_IN)
    assert "_auth_user_id" not in browser.session


def test_a_part_of_a_page_sends_all_of_it_to_sign_in(db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/datasets/?q=blood"}
    answer = Client().get("/datasets/", headers=headers)
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Fdatasets%2F%3Fq%3Dblood"


PAGES = [
    "/account/",
    "/account/password/",
    "/account/tokens/new/",
    "/account/tokens/00000000-0000-0000-0000-000000000000/revoke/",
    "/organisations/",
    "/organisations/new/",
    "/organisations/MyOrg1MSP/",
    "/users/",
    "/users/new/",
    "/users/1/",
    "/users/1/reset/",
    "/activity/",
]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("method", ["get", "post"])
def test_strangers_sign_in_first(path, method, org_a):
    answer = getattr(Client(), method)(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/sign-in/?next={path}")


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ada", "/account/"),
        ("ada", "/account/password/"),
        ("ada", "/account/tokens/new/"),
        ("ada", "/choices/users/"),
        ("ada", "/organisations/"),
        ("root", "/organisations/new/"),
        ("ada", "/organisations/MyOrg1MSP/"),
        ("ada", "/users/"),
        ("ada", "/users/new/"),
        ("ada", "/activity/"),
    ],
)
def test_pages_are_read_and_sent_and_nothing_else(name, path, request, session_of, org_a):
    assert session_of(request.getfixturevalue(name)).delete(path).status_code == 405


# --- One's own password --------------------------------------------------------------------------


def change(browser, old=PASSWORD, new=NEW, again=NEW):
    values = {"old_password": old, "new_password1": new, "new_password2": again}
    return browser.post("/account/password/", values)


def test_changing_the_password_keeps_this_browser_signed_in_and_no_other(session_of, alice):
    browser, other = Client(), Client()
    sign_in(browser)
    sign_in(other)
    assert change(browser).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert "Password changed." in browser.get("/account/").content.decode()
    assert other.get("/account/").status_code == 302


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"old": "wrong"}, "This is not your password"),
        ({"again": "else"}, "The two password fields"),
        ({"new": "12345678", "again": "12345678"}, "This password is entirely numeric"),
        ({"new": "alice-1", "again": "alice-1"}, "too similar to the username"),
        ({"new": ""}, "This field is required"),
    ],
)
def test_passwords_that_are_not_changed(values, message, session_of, alice):
    answer = change(session_of(alice), **values)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "Your password was not changed." in text
    assert message in text
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_the_policy_is_shown_before(session_of, alice):
    assert "at least 12 characters" in session_of(alice).get("/account/password/").content.decode()


# --- A password by a link ------------------------------------------------------------------------


def link_for(user) -> str:
    return reverse(
        "set-password", args=[urlsafe_base64_encode(force_bytes(user.pk)), create_reset_token(user)]
    )


def follow(link: str):
    """Open the link; return the browser and the address of the form, which lacks the secret."""
    browser = Client()
    return browser, browser.get(link).get("Location", link)


def test_a_link_sets_a_password_once(alice):
    link = link_for(alice)
    browser, form = follow(link)
    assert form.endswith("/set-password/")
    assert "You sign in as <strong>alice</strong>" in browser.get(form).content.decode()
    answer = browser.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert (answer.status_code, answer["Location"]) == (302, SIGN_IN)
    assert "The password of alice is set" in str(list(get_messages(answer.wsgi_request))[0])
    alice.refresh_from_db()
    assert alice.check_password(NEW)
    assert "This link has expired or was already used" in Client().get(link).content.decode()


def test_a_weak_password_is_refused_in_place(alice):
    browser, form = follow(link_for(alice))
    answer = browser.post(form, {"new_password1": "12345678", "new_password2": "12345678"})
    assert answer.status_code == 422
    assert "entirely numeric" in answer.content.decode()


def test_a_link_is_too_old_after_a_week(alice, monkeypatch):
    link = link_for(alice)
    generator = "django.contrib.auth.tokens.PasswordResetTokenGenerator._now"
    monkeypatch.setattr(generator, lambda self: datetime.now() + timedelta(days=8))
    assert "This link has expired or was already used" in Client().get(link).content.decode()


def test_who_is_deactivated_sets_no_password(alice, ada):
    link = link_for(alice)
    browser, form = follow(link)
    set_active(alice, False, ada)
    answer = browser.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert "This link has expired or was already used" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


@pytest.mark.parametrize("link", ["/set-password/MQ/x-y/", "/set-password/!/x/"])
def test_links_that_no_one_made(link, alice):
    assert "This link has expired or was already used" in Client().get(link).content.decode()


def test_pages_for_strangers_name_no_user(alice):
    assert not re.search(r"alice|account-menu", Client().get(SIGN_IN).content.decode())
