"""What a session alone cannot do: make or change what outlives it, without the password."""

from urllib.parse import quote

import pytest
from django.contrib.auth.hashers import check_password
from django.test import Client

from assets.accounts.models import User
from tests.cast import PASSWORD

NEW, HOUR = "another-long-password", 3600
API = "/api/users/ada/"


def is_now(user: User) -> str:
    user.refresh_from_db()
    return next(word for word in (PASSWORD, NEW) if check_password(word, user.password))


def by_page(browser, user, **old):
    values = {"old_password": old.get("old_password", ""), "new_password1": NEW}
    return browser.post("/account/password/", {**values, "new_password2": NEW})


def by_api(browser, user, **old):
    body = {"password": NEW, **old}
    return browser.put(f"{API}password/", body, content_type="application/json")


@pytest.mark.parametrize("interface", [by_page, by_api])
@pytest.mark.parametrize("old", [{}, {"old_password": ""}, {"old_password": "wrong"}], ids=str)
def test_a_session_changes_no_password_without_the_old_one(interface, old, ada, session_of):
    answer = interface(session_of(ada), ada, **old)
    assert answer.status_code in (400, 422)
    assert "old_password" in answer.content.decode()
    assert is_now(ada) == PASSWORD


@pytest.mark.parametrize("interface", [by_page, by_api])
def test_with_the_old_one_it_does(interface, ada, session_of):
    assert interface(session_of(ada), ada, old_password=PASSWORD).status_code in (200, 302)
    assert is_now(ada) == NEW


@pytest.mark.parametrize("interface", [by_page, by_api])
def test_guessing_the_old_one_is_guessing_at_sign_in(interface, ada, session_of, settings):
    settings.LOGIN_FAILURES_PER_USER = 3
    browser = session_of(ada)
    for _ in range(3):
        interface(browser, ada, old_password="wrong")
    answer = interface(browser, ada, old_password=PASSWORD)
    assert answer.status_code == (422 if interface is by_page else 429)
    assert is_now(ada) == PASSWORD
    signed = Client().post("/sign-in/", {"username": "ada", "password": PASSWORD})
    assert signed.status_code == 429


@pytest.mark.parametrize(
    ("method", "path", "values", "status"),
    [
        ("get", "/users/{pk}/reset/", {}, 403),
        ("post", "/users/{pk}/reset/", {}, 403),
        ("post", f"{API}reset_password/", {}, 400),
        ("post", "/admin/assets/user/{pk}/edit/", {"role": "admin", "new_password": NEW}, 200),
    ],
)
@pytest.mark.parametrize("name", ["ada", "root"])
def test_who_manages_users_sets_its_own_password_by_no_other_interface(
    method, path, values, status, name, request, session_of
):
    user = request.getfixturevalue(name)
    if path.startswith("/api/") and name == "root":
        status = 403
    path = path.format(pk=user.pk)
    answer = getattr(session_of(user), method)(path, {**values, "is_active": "on"})
    assert answer.status_code == status
    assert "/set-password/" not in answer.content.decode()
    assert is_now(user) == PASSWORD


# What makes a credential, each with what the answer is while the sign-in is recent.
MAKERS = {
    "/account/tokens/new/": 200,
    "/account/second-factor/": 200,
    "/admin/assets/apitoken/add/": 200,
}


@pytest.mark.parametrize(("path", "status"), MAKERS.items())
@pytest.mark.parametrize("method", ["get", "post"])
def test_long_after_the_sign_in_the_password_is_asked_for_again(
    path, status, method, ada, session_of, clock
):
    browser = session_of(ada)
    assert browser.get(path).status_code == status
    clock.step(HOUR)
    answer = getattr(browser, method)(path, {"note": "x", "days": 1, "code": "123456"})
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/account/confirm/?next={quote(path, safe='')}",
    )
    assert not ada.api_tokens.exists()
    confirm = answer["Location"]
    assert browser.post(confirm, {"password": "wrong"}).status_code == 422
    assert browser.get(path).status_code == 302
    assert browser.post(confirm, {"password": PASSWORD})["Location"] == path
    assert browser.get(path).status_code == status


def test_long_after_the_sign_in_a_session_makes_no_token_by_the_api(ada, session_of, clock):
    browser, body = session_of(ada), {"expires_at": "2999-01-01T00:00:00Z"}
    clock.step(HOUR)
    answer = browser.post("/api/api-token/", body, content_type="application/json")
    assert answer.status_code == 403
    assert "/account/confirm/" in answer.json()["detail"]
    browser.post("/account/confirm/", {"password": PASSWORD})
    answer = browser.post("/api/api-token/", body, content_type="application/json")
    assert answer.status_code == 200


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example", ""])
def test_confirming_leads_to_no_other_host(wanted, ada, session_of):
    answer = session_of(ada).post(f"/account/confirm/?next={wanted}", {"password": PASSWORD})
    assert answer["Location"] == "/account/"


def test_who_has_no_password_signs_in_again(ada, session_of, clock):
    ada.set_unusable_password()
    ada.save()
    browser = session_of(ada)
    clock.step(HOUR)
    answer = browser.get("/account/tokens/new/", follow=True)
    assert answer.status_code == 403
    assert "Sign out, then sign in again" in answer.content.decode()
