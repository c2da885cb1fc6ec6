"""Sessions: when they end, what their cookies say, and what they may send."""

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.test import Client

from assets.accounts.registration.passwords import set_password
from assets.accounts.registration.users import set_active
from tests.cast import PASSWORD

HOUR = 3600
NEW = "another-long-password"


def sign_in(username="alice", password=PASSWORD) -> Client:
    browser = Client()
    browser.post("/sign-in/", {"username": username, "password": password})
    return browser


def is_in(browser) -> bool:
    return browser.get("/account/").status_code == 200


def test_a_session_ends_when_it_is_not_used(alice, clock):
    browser = sign_in()
    for _ in range(3):
        clock.step(11 * HOUR)
        assert is_in(browser)
    clock.step(12 * HOUR + 1)
    assert not is_in(browser)
    assert not Session.objects.exists()


def test_a_session_ends_however_much_it_is_used(alice, clock):
    browser = sign_in()
    for _ in range(16):
        clock.step(10 * HOUR)
        assert is_in(browser)
    clock.step(9 * HOUR)
    assert not is_in(browser)


def test_a_session_of_an_older_version_begins_now(alice, clock, session_of):
    browser = session_of(alice)
    session = browser.session
    for name in ("_began", "_used"):
        del session[name]
    super(type(session), session).save()
    assert is_in(browser)
    clock.step(12 * HOUR + 1)
    assert not is_in(browser)


@pytest.mark.parametrize("key", ['"12345678\\000"', "12345678'", "x" * 3000, "1234\xe9678"])
@pytest.mark.parametrize("path", ["/account/", "/api/task/", "/sign-in/"])
def test_a_session_key_of_any_text_is_no_session(key, path, db):
    browser = Client()
    answer = browser.get(path, headers={"Cookie": f"sessionid={key}"})
    assert answer.status_code in (200, 302, 401)


def test_using_a_session_writes_it_seldom(alice, session_of, django_assert_num_queries):
    browser = session_of(alice)
    browser.get("/account/")
    # The session, the user, its organisation, its tokens, its admins: nothing is written.
    with django_assert_num_queries(5) as asked:
        browser.get("/account/")
    assert not [one["sql"] for one in asked if one["sql"].startswith(("UPDATE", "INSERT"))]


def test_signing_in_gives_the_session_another_key(alice):
    browser = Client()
    session = browser.session
    session["cart"] = 1
    session.save()
    browser.cookies["sessionid"] = session.session_key
    browser.post("/sign-in/", {"username": "alice", "password": PASSWORD})
    assert SESSION_KEY in browser.session
    assert browser.session.session_key != session.session_key
    assert not Session.objects.filter(pk=session.session_key).exists()


@pytest.mark.parametrize("path", ["/sign-out/", "/api/session/logout/", "/admin/logout/"])
def test_only_what_is_sent_signs_out(path, alice, session_of):
    browser = session_of(alice)
    assert browser.get(path).status_code == 405
    assert is_in(browser)
    browser.post(path)
    assert not is_in(browser)


def test_the_cookies(alice):
    browser = Client()
    browser.get("/sign-in/")
    answer = browser.post("/sign-in/", {"username": "alice", "password": PASSWORD})
    for name in ("sessionid", "csrftoken"):
        cookie = answer.cookies[name]
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
        assert not cookie["domain"]


# --- What ends them, and tokens with them --------------------------------------------------------


def token_works(client) -> bool:
    return client.get("/api/organization/").status_code == 200


def test_who_is_deactivated_is_out_at_once(alice, ada, client_of):
    browser, client = sign_in(), client_of(alice)
    assert (is_in(browser), token_works(client)) == (True, True)
    set_active(alice, False, ada)
    assert (is_in(browser), token_works(client)) == (False, False)


def by_page(alice, ada, session_of, client_of):
    values = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert session_of(alice).post("/account/password/", values).status_code == 302


def by_api(alice, ada, session_of, client_of):
    answer = client_of(alice).put("/api/users/alice/password/", {"password": NEW}, format="json")
    assert answer.status_code == 200


def by_reset_token(alice, ada, session_of, client_of):
    made = client_of(ada).post("/api/users/alice/reset_password/").json()
    values = {"token": made["reset_password_token"], "password": NEW}
    assert Client().post("/api/users/alice/set_password/", values).status_code == 200


def by_admin(alice, ada, session_of, client_of):
    values = {"role": "member", "is_active": "on", "new_password": NEW}
    answer = session_of(ada).post(f"/admin/assets/user/{alice.pk}/edit/", values)
    assert answer.status_code == 302


def by_program(alice, ada, session_of, client_of):
    set_password(alice, NEW, alice)


@pytest.mark.parametrize("way", [by_page, by_api, by_reset_token, by_admin, by_program])
def test_another_password_ends_sessions_and_tokens(way, alice, ada, session_of, client_of):
    browser, client, others = sign_in(), client_of(alice), client_of(ada)
    way(alice, ada, session_of, client_of)
    assert (is_in(browser), token_works(client)) == (False, False)
    assert token_works(others)
    assert is_in(sign_in(password=NEW))


def test_who_changes_the_password_by_a_token_goes_on_by_it(alice, client_of):
    client, other = client_of(alice), client_of(alice)
    client.put("/api/users/alice/password/", {"password": NEW}, format="json")
    assert (token_works(client), token_works(other)) == (True, False)


def test_tokens_can_be_kept(alice, session_of, client_of):
    client = client_of(alice)
    values = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    session_of(alice).post("/account/password/", {**values, "keep_tokens": "on"})
    assert token_works(client)


def test_the_admin_changes_passwords_where_everybody_does(alice, session_of):
    answer = session_of(alice).get("/admin/password_change/")
    assert (answer.status_code, answer["Location"]) == (302, "/account/password/")


# --- Forgery -------------------------------------------------------------------------------------

WRITES = {
    "a page": ("/account/tokens/new/", {"note": "x", "days": "1"}, 403),
    "sign-in": ("/sign-in/", {"username": "alice", "password": PASSWORD}, 403),
    "sign-out": ("/sign-out/", {}, 403),
    "the admin": ("/admin/assets/apitoken/add/", {"note": "x", "days": "1"}, 403),
    "the API by the session": ("/api/api-token/", {"expires_at": "2999-01-01T00:00:00Z"}, 403),
}


@pytest.mark.parametrize(("path", "values", "status"), WRITES.values(), ids=WRITES)
def test_what_another_site_makes_a_browser_send_is_refused(path, values, status, alice):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    assert browser.post(path, values).status_code == status
    assert not alice.api_tokens.exists()


def test_tokens_need_no_such_proof(alice, client_of):
    client = client_of(alice)
    client.handler.enforce_csrf_checks = True
    answer = client.post("/api/api-token/", {"expires_at": "2999-01-01T00:00:00Z"}, format="json")
    assert answer.status_code == 200


# --- Passwords that are taken for good -----------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("short-one", "too short. It must contain at least 12 characters"),
        ("password", "too common"),
        ("918273645918273", "entirely numeric"),
        ("alice-1", "too similar to the username"),
    ],
)
def test_passwords_that_are_guessed_too_easily(password, message, alice, session_of):
    values = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    answer = session_of(alice).post("/account/password/", values)
    assert answer.status_code == 422
    assert message in answer.content.decode()
