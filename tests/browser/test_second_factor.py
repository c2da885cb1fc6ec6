"""A second factor in a real browser: set up, asked for, recovered from, turned off."""

import base64
import re
import time

import pytest
from django_otp.oath import TOTP
from playwright.sync_api import expect

from .watch import assert_accessible

pytestmark = pytest.mark.browser

USER, PASSWORD = "karolinska-viewer", "federated-demo"


def code_of(secret: str) -> str:
    """What a telephone with this secret shows now."""
    totp = TOTP(base64.b32decode(secret.replace(" ", "")))
    totp.time = time.time()
    return f"{totp.token():06}"


def test_set_up_sign_in_and_turn_off(visit):
    page = visit(USER)
    page.goto("/account/")
    page.get_by_role("link", name="Set up a second factor").click()
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    assert_accessible(page)
    secret = page.get_by_label("Or enter the secret").input_value()
    page.get_by_role("textbox", name="Code").fill(code_of(secret))
    page.get_by_role("button", name="Set up").click()
    recovery = page.locator("#recovery-codes").inner_text().split()
    assert len(recovery) == 10
    assert_accessible(page)
    page.get_by_role("link", name="I have copied them").click()
    expect(page.locator("main")).to_contain_text("10 recovery codes left")

    other = visit("", width=390)
    other.goto("/tasks/")
    other.get_by_label("Username").fill(USER)
    other.get_by_label("Password").fill(PASSWORD)
    other.keyboard.press("Enter")
    expect(other.get_by_role("textbox", name="Code")).to_be_focused()
    assert_accessible(other)
    other.keyboard.type(recovery[0])
    other.keyboard.press("Enter")
    expect(other).to_have_url(re.compile("/tasks/$"))

    page.get_by_role("link", name="Turn off…").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Turn off").click()
    expect(page.locator(".messages")).to_contain_text("turned off")
