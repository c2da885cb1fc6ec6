"""The second factor: set up, asked for, recovered from, reset."""

import base64
import re

import pytest
from django.contrib.auth.signals import user_logged_in
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice

from assets.accounts.models import RecoveryCode
from assets.accounts.registration.second_factor import enrol
from tests.cast import PASSWORD

from .test_provider import known, walk

CODE, ENROL = "/sign-in/code/", "/sign-in/second-factor/"
KEY = "31" * 20


@pytest.fixture
def factor_of(code_of, clock):
    """Give a user a second factor; return its recovery codes. The next code is one step ahead."""

    def give(user) -> list[str]:
        codes = enrol(user, KEY, code_of(KEY), user)
        clock.step()
        return codes

    return give


def password_of(user, browser=None, **values) -> Client:
    browser = browser or Client()
    credentials = {"username": user.username, "password": PASSWORD, **values}
    browser.answer = browser.post("/sign-in/", credentials)
    return browser


def is_in(browser) -> bool:
    return browser.get("/account/").status_code == 200


# --- Setting it up -------------------------------------------------------------------------------


def secret_of(page: str) -> str:
    """The secret as a telephone takes it, back in hexadecimal digits."""
    text = re.search(r'id="factor-secret" readonly value="([A-Z2-7 ]+)"', page)[1]
    return base64.b32decode(text.replace(" ", "")).hex()


def codes_of(page: str) -> list[str]:
    shown = re.search(r'<code id="recovery-codes">(.*?)</code>', page, re.DOTALL)[1]
    return re.findall(r"^[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}$", shown, re.MULTILINE)


def test_setting_it_up_on_the_account_page(alice, session_of, code_of, clock):
    browser, other = session_of(alice), password_of(alice)
    page = browser.get("/account/second-factor/").content.decode()
    assert "<svg" in page
    assert "style=" not in page[page.index("<svg") : page.index("</svg>")]
    key = secret_of(page)
    assert secret_of(browser.get("/account/second-factor/").content.decode()) == key
    answer = browser.post("/account/second-factor/", {"code": code_of(key)})
    codes = codes_of(answer.content.decode())
    assert (answer.status_code, len(codes), len(set(codes))) == (200, 10, 10)
    assert "no-store" in answer["Cache-Control"]
    kept = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert len(kept) == 10
    assert not kept & set(codes)
    # This browser goes on, every other one begins again.
    assert (is_in(browser), is_in(other)) == (True, False)
    assert "10 recovery codes left" in browser.get("/account/").content.decode()


def test_sending_it_twice_changes_nothing(alice, session_of, code_of):
    browser = session_of(alice)
    key = secret_of(browser.get("/account/second-factor/").content.decode())
    browser.post("/account/second-factor/", {"code": code_of(key)})
    kept = set(RecoveryCode.objects.values_list("digest", flat=True))
    assert browser.post("/account/second-factor/", {"code": code_of(key)}).status_code == 403
    assert set(RecoveryCode.objects.values_list("digest", flat=True)) == kept


@pytest.mark.parametrize("code", ["", "000000", "abc", "1" * 50, "０００００１", "-1"])
def test_a_wrong_code_sets_nothing_up(code, alice, session_of):
    browser = session_of(alice)
    browser.get("/account/second-factor/")
    page = browser.post("/account/second-factor/", {"code": code})
    assert page.status_code == 422
    assert page.context["form"].errors
    alice.refresh_from_db()
    assert alice.second_factor_at is None
    assert not TOTPDevice.objects.exists()


# --- Signing in with it --------------------------------------------------------------------------


@pytest.mark.parametrize("interface", ["/sign-in/", "/admin/login/", "/api/session/login/"])
def test_the_password_alone_signs_no_one_in(interface, alice, factor_of, code_of):
    factor_of(alice)
    browser = Client()
    credentials = {"username": "alice", "password": PASSWORD, "next": "/admin/"}
    answer = browser.post(interface, credentials)
    assert (answer.status_code, answer["Location"]) == (302, CODE)
    assert not is_in(browser)
    assert browser.get("/admin/").status_code == 302
    assert browser.get("/api/organization/").status_code == 401
    answer = browser.post(CODE, {"code": code_of(KEY)})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert is_in(browser)
    assert browser.get("/admin/").status_code == 200


def test_signing_in_is_signalled_once_and_only_after_the_code(alice, factor_of, code_of, clock):
    factor_of(alice)
    seen = []
    user_logged_in.connect(came := lambda user, **_: seen.append("in"), weak=False)
    try:
        browser = password_of(alice)
        browser.post(CODE, {"code": "000000"})
        clock.step()
        browser.post(CODE, {"code": code_of(KEY)})
    finally:
        user_logged_in.disconnect(came)
    assert seen == ["in"]


def test_a_code_is_good_once(alice, factor_of, code_of):
    factor_of(alice)
    first, second = password_of(alice), password_of(alice)
    code = code_of(KEY)
    assert first.post(CODE, {"code": f" {code[:3]} {code[3:]} "}).status_code == 302
    answer = second.post(CODE, {"code": code})
    assert answer.status_code == 422
    assert "already used" in answer.content.decode()
    assert (is_in(first), is_in(second)) == (True, False)


def test_no_code_is_asked_for_again(alice, factor_of):
    factor_of(alice)
    browser = password_of(alice)
    page = browser.post(CODE, {"code": ""})
    assert page.status_code == 422
    assert page.context["form"].errors
    assert not is_in(browser)


def test_the_code_that_set_it_up_does_not_sign_in(alice, code_of):
    code = code_of(KEY)
    enrol(alice, KEY, code, alice)
    assert password_of(alice).post(CODE, {"code": code}).status_code == 422


def test_a_recovery_code_is_good_once_however_it_is_written(alice, factor_of):
    code = factor_of(alice)[3]
    for _ in range(2):
        password_of(alice).post(CODE, {"code": "000000"})
    first, second = password_of(alice), password_of(alice)
    assert first.post(CODE, {"code": code.upper().replace("-", " ")}).status_code == 302
    assert second.post(CODE, {"code": code}).status_code == 422
    assert (is_in(first), is_in(second)) == (True, False)
    assert RecoveryCode.objects.count() == 9


def test_codes_of_another_user_are_worth_nothing(alice, bob, factor_of, code_of):
    factor_of(alice)
    other = "32" * 20
    codes = enrol(bob, other, code_of(other), bob)
    browser = password_of(alice)
    for code in (codes[0], code_of(other)):
        assert browser.post(CODE, {"code": code}).status_code == 422
    assert not is_in(browser)


def test_guessing_codes_is_slowed_down_whatever_the_address(alice, factor_of, code_of, clock):
    factor_of(alice)
    browser = password_of(alice)
    for n in range(3):
        browser.post(CODE, {"code": "000000"}, REMOTE_ADDR=f"192.0.2.{n}")
    answer = browser.post(CODE, {"code": code_of(KEY)}, REMOTE_ADDR="192.0.2.9")
    assert answer.status_code == 429
    assert "too many wrong codes. Wait" in answer.content.decode()
    clock.step(120)
    assert browser.post(CODE, {"code": code_of(KEY)}).status_code == 302


def test_a_password_that_is_known_allows_no_more_guesses(alice, factor_of, settings, clock):
    settings.LOGIN_FAILURES_PER_USER = 2
    factor_of(alice)
    for _ in range(2):
        password_of(alice).post(CODE, {"code": "000000"})
        clock.step()
    assert password_of(alice).answer.status_code == 429


def test_the_second_step_waits_ten_minutes(alice, factor_of, code_of, clock):
    factor_of(alice)
    browser = password_of(alice)
    clock.step(601)
    assert browser.post(CODE, {"code": code_of(KEY)})["Location"] == "/sign-in/"
    assert not is_in(browser)


@pytest.mark.parametrize("path", [CODE, ENROL])
@pytest.mark.parametrize("method", ["get", "post"])
def test_there_is_no_second_step_without_the_first(path, method, alice):
    answer = getattr(Client(), method)(path, {"code": "123456"})
    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")


def test_who_is_deactivated_between_the_steps_stays_out(alice, factor_of, code_of):
    factor_of(alice)
    browser = password_of(alice)
    type(alice).objects.filter(pk=alice.pk).update(is_active=False)
    assert browser.post(CODE, {"code": code_of(KEY)})["Location"] == "/sign-in/"


def test_a_password_gives_no_token_any_more(alice, factor_of, client_of):
    client = client_of(alice)
    factor_of(alice)
    credentials = {"username": "alice", "password": PASSWORD}
    answer = Client().post("/api/api-token-auth/", credentials)
    assert answer.status_code == 400
    assert "create a token under Account" in answer.json()["non_field_errors"][0]
    wrong = Client().post("/api/api-token-auth/", {**credentials, "password": "wrong"})
    assert wrong.json() == {"non_field_errors": ["Unable to log in with provided credentials."]}
    assert client.get("/api/organization/").status_code == 200


# --- Changing and resetting it -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "status", "left"), [(PASSWORD, 302, False), ("wrong", 422, True), ("", 422, True)]
)
def test_turning_it_off_takes_the_password(password, status, left, alice, factor_of, session_of):
    factor_of(alice)
    browser, other = session_of(alice), session_of(alice)
    answer = browser.post("/account/second-factor/off/", {"password": password})
    assert answer.status_code == status
    alice.refresh_from_db()
    assert (alice.second_factor_at is not None) == left
    assert TOTPDevice.objects.exists() == RecoveryCode.objects.exists() == left
    assert (is_in(browser), is_in(other)) == (True, left)


def test_new_recovery_codes_end_the_old_ones(alice, factor_of, session_of):
    old = factor_of(alice)
    answer = session_of(alice).post("/account/second-factor/codes/", {"password": PASSWORD})
    new = codes_of(answer.content.decode())
    assert (len(new), set(new) & set(old)) == (10, set())
    assert password_of(alice).post(CODE, {"code": old[0]}).status_code == 422
    assert password_of(alice).post(CODE, {"code": new[0]}).status_code == 302


@pytest.mark.parametrize("path", ["off/", "codes/"])
def test_without_one_there_is_nothing_to_change(path, alice, session_of):
    assert session_of(alice).get(f"/account/second-factor/{path}").status_code == 403


@pytest.mark.parametrize(
    ("name", "status"), [("ada", 302), ("root", 302), ("bob", 404), ("victor", 404), ("alice", 403)]
)
def test_who_resets_it(name, status, request, alice, factor_of, session_of):
    factor_of(alice)
    signed_in = session_of(alice)
    actor = request.getfixturevalue(name)
    browser = signed_in if actor == alice else session_of(actor)
    assert browser.post(f"/users/{alice.pk}/second-factor/").status_code == status
    alice.refresh_from_db()
    assert (alice.second_factor_at is None) == (status == 302)
    assert is_in(signed_in) == (status != 302)


def test_an_admin_does_not_reset_its_own(ada, factor_of, session_of):
    factor_of(ada)
    assert session_of(ada).post(f"/users/{ada.pk}/second-factor/").status_code == 403


@pytest.mark.parametrize("path", ["/admin/otp_totp/totpdevice/", "/admin/"])
def test_no_one_reads_the_secret_again(path, root, alice, factor_of, session_of):
    factor_of(alice)
    answer = session_of(root).get(path)
    assert "otp_totp" not in answer.content.decode() or answer.status_code == 404


# --- Where the settings ask for it ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("required", "name", "asked"),
    [
        ("off", "ada", False),
        ("admins", "alice", False),
        ("admins", "ada", True),
        ("admins", "root", True),
        ("all", "victor", True),
    ],
)
def test_who_needs_it(required, name, asked, request, settings, session_of):
    user = request.getfixturevalue(name)
    before = session_of(user)
    settings.REQUIRE_SECOND_FACTOR = required
    assert is_in(before) == (not asked)
    assert password_of(user).answer["Location"] == (ENROL if asked else "/")


def test_who_has_none_sets_it_up_on_the_way_in(ada, settings, code_of, clock):
    settings.REQUIRE_SECOND_FACTOR = "all"
    browser = password_of(ada, next="/tasks/")
    assert not is_in(browser)
    key = secret_of(browser.get(ENROL).content.decode())
    assert browser.post(ENROL, {"code": "000000"}).status_code == 422
    assert not is_in(browser)
    page = browser.post(ENROL, {"code": code_of(key)}).content.decode()
    assert len(codes_of(page)) == 10
    assert 'href="/tasks/"' in page
    assert is_in(browser)
    clock.step()
    assert password_of(ada).post(CODE, {"code": code_of(key)}).status_code == 302


def test_what_is_asked_for_is_not_turned_off_by_oneself(
    alice, ada, factor_of, settings, session_of
):
    factor_of(alice)
    settings.REQUIRE_SECOND_FACTOR = "all"
    answer = session_of(alice).post("/account/second-factor/off/", {"password": PASSWORD})
    assert answer.status_code == 422
    assert "ask an admin to reset your second factor" in answer.content.decode()
    assert session_of(ada).post(f"/users/{alice.pk}/second-factor/").status_code == 302
    assert password_of(alice).answer["Location"] == ENROL


def test_a_password_gives_no_token_to_who_must_set_it_up(alice, settings):
    settings.REQUIRE_SECOND_FACTOR = "all"
    credentials = {"username": "alice", "password": PASSWORD}
    assert Client().post("/api/api-token-auth/", credentials).status_code == 400


@pytest.mark.parametrize(
    ("asked_too", "leads_to"), [(False, "/"), (True, CODE)], ids=["excused", "asked"]
)
def test_users_that_a_provider_knows(
    asked_too, leads_to, alice, factor_of, provider, provider_url, settings
):
    factor_of(alice)
    known(alice, provider_url)
    settings.REQUIRE_SECOND_FACTOR = "all"
    settings.OIDC_SECOND_FACTOR = asked_too
    browser = Client()
    assert walk(browser)["Location"] == leads_to
    assert is_in(browser) == (not asked_too)
