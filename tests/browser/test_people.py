"""The jobs of those who manage tokens and users."""

import re
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import expect

from .site import PATIENCE
from .watch import assert_accessible

pytestmark = pytest.mark.browser


def signs_in(site, secret: str) -> bool:
    """Does the token sign in?"""
    headers = {"Authorization": f"Token {secret}", "Accept": "application/json;version=0.0"}
    answer = requests.get(f"{site.url}/api/function/", headers=headers, timeout=PATIENCE)
    return answer.status_code == 200


def test_make_copy_and_revoke_a_token(visit, site):
    note = f"notebook {uuid4()}"
    page = visit("karolinska-member", permissions=["clipboard-read", "clipboard-write"])
    page.goto("/")
    page.locator(".account-menu summary").click()
    page.get_by_role("link", name="Account and tokens").click()
    page.locator("main a[href='/account/tokens/new/']").first.click()
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name="Create token").click()
    assert_accessible(page)

    page.get_by_role("button", name=re.compile(r"^\s*Copy (the )?token")).first.click()
    secret = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch("[0-9a-f]{40}", secret)
    assert signs_in(site, secret)

    page.goto("/account/")
    assert secret not in page.content()
    row = page.get_by_role("row").filter(has_text=note)
    row.get_by_role("link", name=re.compile("Revoke")).click()
    page.locator("main form").get_by_role("button", name=re.compile("Revoke")).click()
    expect(page.locator(".messages")).to_be_visible()
    assert not signs_in(site, secret)


def test_invite_a_user_who_signs_in(visit):
    name, password = f"newcomer-{uuid4().hex[:8]}", "federated and private"
    admin = visit("charite-admin")
    admin.goto("/users/")
    admin.get_by_role("link", name=re.compile("Invite")).first.click()
    admin.get_by_label("Username").fill(name)
    admin.get_by_role("radio", name=re.compile("^viewer")).check()
    admin.get_by_role("button", name="Invite").click()
    assert_accessible(admin)
    link = admin.get_by_role("textbox", name="Link to set the password").input_value()

    newcomer = visit("")
    newcomer.goto(link)
    assert_accessible(newcomer)
    fields = newcomer.locator("main input[type=password]")
    for place in range(fields.count()):
        fields.nth(place).fill(password)
    newcomer.locator("main form button").last.click()
    newcomer.goto("/sign-in/")
    if newcomer.get_by_label("Username").count():
        newcomer.get_by_label("Username").fill(name)
        newcomer.get_by_label("Password").fill(password)
        newcomer.get_by_role("button", name="Sign in").click()
    newcomer.goto("/")
    expect(newcomer.locator("main")).to_contain_text("You act for ChariteMSP with the role viewer.")
    expect(newcomer.get_by_role("link", name="Register dataset")).to_have_count(0)

    again = visit("")
    again.goto(link)
    expect(again.locator("main input[type=password]")).to_have_count(0)
