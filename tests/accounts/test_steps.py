"""Every state that a browser can be in between the password and the session, on every page."""

import pytest
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from assets.accounts.registration.passwords import create_reset_token, set_password
from assets.accounts.registration.second_factor import enrol
from tests.cast import PASSWORD

CODE, ENROL = "/sign-in/code/", "/sign-in/second-factor/"
KEY, NEW = "31" * 20, "another-long-password"


def password_of(user) -> Client:
    browser = Client()
    browser.post("/sign-in/", {"username": user.username, "password": PASSWORD})
    return browser


def owes_nothing(user, settings, clock, code_of) -> Client:
    return Client()


def owes_a_code(user, settings, clock, code_of) -> Client:
    enrol(user, KEY, code_of(KEY), user)
    return password_of(user)


def owes_a_factor(user, settings, clock, code_of) -> Client:
    settings.REQUIRE_SECOND_FACTOR = "all"
    return password_of(user)


def was_too_slow(user, settings, clock, code_of) -> Client:
    browser = owes_a_code(user, settings, clock, code_of)
    clock.step(601)
    return browser


def set_one_up_elsewhere(user, settings, clock, code_of) -> Client:
    browser = owes_a_factor(user, settings, clock, code_of)
    enrol(user, KEY, code_of(KEY), user)
    return browser


def has_another_password_since(user, settings, clock, code_of) -> Client:
    browser = owes_a_code(user, settings, clock, code_of)
    set_password(user, NEW, user)
    return browser


# Where each state leads, on the pages of the two steps.
STATES = {
    owes_nothing: "/sign-in/",
    owes_a_code: CODE,
    owes_a_factor: ENROL,
    was_too_slow: "/sign-in/",
    set_one_up_elsewhere: "/sign-in/",
    has_another_password_since: "/sign-in/",
}
ACCOUNT = (
    "/account/",
    "/account/password/",
    "/account/tokens/new/",
    "/account/second-factor/",
    "/account/second-factor/off/",
    "/account/second-factor/codes/",
    "/admin/",
    "/",
)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", ["alice", "root"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_pending_sign_in_takes_its_own_step(
    state, name, method, request, settings, clock, code_of
):
    user = request.getfixturevalue(name)
    browser = state(user, settings, clock, code_of)
    clock.step()
    user.refresh_from_db()
    since = user.second_factor_at
    send = getattr(browser, method)
    for page in {CODE, ENROL} - {STATES[state]}:
        answer = send(page, {"code": code_of(KEY)})
        assert (answer.status_code, answer.headers["Location"]) == (302, STATES[state])
        assert "enrolling" not in str(dict(browser.session))
    for page in ACCOUNT:
        answer = send(page, {"code": code_of(KEY), "password": PASSWORD, "note": "x", "days": 1})
        assert answer.status_code == 302, page
        assert "/sign-in/" in answer["Location"] or "/admin/login/" in answer["Location"]
    assert browser.get("/api/organization/").status_code == 401
    user.refresh_from_db()
    assert user.second_factor_at == since
    assert not user.api_tokens.exists()


def test_a_secret_is_shown_to_one_user(alice, bob, settings):
    """Who used this browser before has seen another one."""
    settings.REQUIRE_SECOND_FACTOR = "all"
    browser, shown = Client(), []
    for user in (alice, bob, alice):
        browser.post("/sign-in/", {"username": user.username, "password": PASSWORD})
        shown.append(browser.get(ENROL).context["secret"])
    assert shown[0] == shown[2] != shown[1]


def link_of(user) -> str:
    return (
        f"/set-password/{urlsafe_base64_encode(force_bytes(user.pk))}/{create_reset_token(user)}/"
    )


@pytest.mark.parametrize("required", ["off", "all"])
def test_a_link_sets_the_password_and_signs_no_one_in(required, alice, settings, code_of):
    settings.REQUIRE_SECOND_FACTOR = required
    if required == "off":
        enrol(alice, KEY, code_of(KEY), alice)
    browser = Client()
    form = browser.get(link_of(alice))["Location"]
    answer = browser.post(form, {"new_password1": NEW, "new_password2": NEW})
    assert answer["Location"] == "/sign-in/"
    assert browser.get("/account/").status_code == 302
    answer = browser.post("/sign-in/", {"username": "alice", "password": NEW})
    assert answer["Location"] == (CODE if required == "off" else ENROL)
