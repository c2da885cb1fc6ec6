"""Requests about signing in that arrive at the same time."""

from base64 import b32decode
from collections import Counter
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.contrib.auth.hashers import check_password
from django.db import OperationalError
from django.test import Client
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django_otp.plugins.otp_totp.models import TOTPDevice

from assets.accounts.models import FailedSignIn, RecoveryCode, User
from assets.accounts.registration.passwords import create_reset_token
from assets.accounts.registration.second_factor import enrol
from tests.cast import PASSWORD
from tests.files.threads import at_once

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shared_database"),
]

CODE, KEY = "/sign-in/code/", "31" * 20


def sign_in(username="alice", password=PASSWORD) -> Client:
    browser = Client()
    browser.answer = browser.post("/sign-in/", {"username": username, "password": password})
    return browser


def status_of(*args) -> int:
    return sign_in(*args).answer.status_code


def test_right_passwords_at_once_all_sign_in(alice, settings):
    settings.LOGIN_FAILURES_PER_USER = 2
    settings.LOGIN_FAILURES_PER_ADDRESS = 4
    assert at_once(*[status_of] * 8) == [302] * 8


def test_wrong_passwords_at_once_are_no_more_than_one_by_one(alice, settings):
    settings.LOGIN_FAILURES_PER_USER = 2
    outcomes = Counter(at_once(*[lambda: status_of("alice", "wrong")] * 8))
    assert outcomes == {422: 2, 429: 6}
    assert status_of() == 429


def test_right_and_wrong_passwords_at_once_wait_for_each_other_in_one_order(alice, bob, settings):
    settings.LOGIN_FAILURES_PER_USER = settings.LOGIN_FAILURES_PER_ADDRESS = 1000
    calls = [
        lambda name=name, password=password: status_of(name, password)
        for name in ("alice", "bob")
        for password in (PASSWORD, "wrong")
    ]
    for _ in range(2):
        assert at_once(*calls * 2) == [302, 422] * 4


def test_a_telephone_is_set_up_once(alice, code_of):
    page, calls = "/account/second-factor/", []
    for browser in [sign_in() for _ in range(3)]:
        secret = browser.get(page).context["secret"].replace(" ", "")
        code = code_of(b32decode(secret).hex())
        calls.append(lambda browser=browser, code=code: browser.post(page, {"code": code}))
    statuses = Counter(answer.status_code for answer in at_once(*calls))
    assert statuses[200] == 1
    assert RecoveryCode.objects.count() == 10


def test_a_recovery_code_signs_in_once(alice, code_of):
    codes = enrol(alice, KEY, code_of(KEY), alice)
    browsers = [sign_in() for _ in range(4)]
    calls = [lambda browser=browser: browser.post(CODE, {"code": codes[0]}) for browser in browsers]
    statuses = Counter(answer.status_code for answer in at_once(*calls))
    assert statuses == {302: 1, 422: 3}


def test_a_code_of_the_telephone_signs_in_once(alice, code_of, clock, monkeypatch):
    enrol(alice, KEY, code_of(KEY), alice)
    clock.step()
    code, browsers = code_of(KEY), [sign_in() for _ in range(2)]
    # Attempts from one address wait for each other anyway.
    browsers[1].defaults["REMOTE_ADDR"] = "203.0.113.9"
    compared, verify = Barrier(2), TOTPDevice.verify_token

    def verify_together(device, token):
        # Each has read which code was used last. Neither goes on before the other has, unless one
        # waits for the other.
        with suppress(BrokenBarrierError):
            compared.wait(0.5)
        return verify(device, token)

    monkeypatch.setattr(TOTPDevice, "verify_token", verify_together)
    calls = [lambda browser=browser: browser.post(CODE, {"code": code}) for browser in browsers]
    assert sorted(answer.status_code for answer in at_once(*calls)) == [302, 422]


def test_recovery_codes_at_once_all_sign_in(alice, code_of):
    codes = enrol(alice, KEY, code_of(KEY), alice)
    browsers = [sign_in() for _ in range(6)]
    sign_in("alice", "wrong")
    calls = [
        lambda browser=browser, code=code: browser.post(CODE, {"code": code})
        for browser, code in zip(browsers, codes, strict=False)
    ]
    assert [answer.status_code for answer in at_once(*calls)] == [302] * 6
    assert RecoveryCode.objects.count() == 4
    assert not FailedSignIn.objects.filter(username="alice").exists()


def test_a_code_is_not_used_up_by_a_sign_in_that_fails(alice, code_of, monkeypatch):
    codes = enrol(alice, KEY, code_of(KEY), alice)
    browser = sign_in()

    def fails(*args, **kwargs):
        raise OperationalError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("assets.accounts.sign_in.login", fails)
        browser.raise_request_exception = False
        assert browser.post(CODE, {"code": codes[0]}).status_code >= 500
    assert RecoveryCode.objects.count() == 10
    assert browser.post(CODE, {"code": codes[0]}).status_code == 302


def test_a_link_sent_thrice_at_once_works_once(alice):
    secret = create_reset_token(alice)
    link = f"/set-password/{urlsafe_base64_encode(force_bytes(alice.pk))}/{secret}/"
    words = [f"another-long-password-{n}" for n in range(4)]
    browsers = [Client() for _ in words[:2]]
    forms = [browser.get(link)["Location"] for browser in browsers]
    pages = [
        lambda browser=browser, form=form, word=word: browser.post(
            form, {"new_password1": word, "new_password2": word}
        )
        for browser, form, word in zip(browsers, forms, words, strict=False)
    ]
    programs = [
        lambda word=word: Client().post(
            "/api/users/alice/set_password/", {"token": secret, "password": word}
        )
        for word in words[2:]
    ]
    answers = at_once(*pages, *programs)
    # A page answers a used link by saying so, with 200.
    done = [
        word
        for word, answer in zip(words, answers, strict=True)
        if answer.status_code == 302 or answer.content == b"{}"
    ]
    assert len(done) == 1
    assert check_password(done[0], User.objects.get(pk=alice.pk).password)
