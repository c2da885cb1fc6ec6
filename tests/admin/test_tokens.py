"""Tokens in the admin: made for oneself, shown once, revoked."""

from datetime import timedelta

import pytest
from django.utils import timezone

from assets.accounts.models import ApiToken
from assets.accounts.registration.tokens import create_token, token_digest
from tests.rules.cases import everything

from .interface import admin_url

EVERYBODY = ("victor", "alice", "ada", "bob", "root")


def token_of(user) -> ApiToken:
    return create_token(user, expires_at=timezone.now() + timedelta(days=1), note="notebook")[0]


def test_a_token_is_shown_once_and_works(world, session_of, anonymous):
    browser = session_of(world.alice)
    data = {"note": "training notebook", "days": "30"}
    answer = browser.post(admin_url("apitoken", "add"), data, follow=True)
    (message,) = [str(m) for m in answer.context["messages"] if "shown only once" in str(m)]
    secret = message.split("<code>")[1].split("</code>")[0]
    token = ApiToken.objects.get()
    assert token.digest == token_digest(secret)
    assert (token.user, token.note, token.kind) == (world.alice, "training notebook", "named")
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)
    assert secret in answer.content.decode()
    for url in (admin_url("apitoken", "changelist"), admin_url("apitoken", "change", token.pk)):
        assert secret not in browser.get(url).content.decode()
    signed = anonymous.get("/api/data_manager/", HTTP_AUTHORIZATION=f"Token {secret}")
    assert signed.status_code == 200


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"note": "n" * 101, "days": "1"}, "note"),
        ({"days": "0"}, "days"),
        ({"days": "99999999999"}, "days"),
        ({"days": ""}, "days"),
    ],
)
def test_a_token_that_cannot_be(data, place, admin, world):
    page = admin.post(world.alice, admin_url("apitoken", "add"), data)
    assert [error.place for error in page.errors] == [place]
    assert "shown only once" not in page.text
    assert not ApiToken.objects.exists()


SEES = {
    "root": {"alice", "ada", "bob"},
    "ada": {"alice", "ada"},
    "alice": {"alice"},
    "victor": set(),
    "bob": {"bob"},
}


@pytest.mark.parametrize("name", SEES)
def test_whose_tokens_are_seen_and_revoked(name, world, session_of):
    tokens = {owner: token_of(world.users[owner]) for owner in ("alice", "ada", "bob")}
    browser = session_of(world.users[name])
    listed = browser.get(admin_url("apitoken", "changelist")).context["cl"].result_list
    assert {token.user.username for token in listed} == SEES[name]
    for owner, token in tokens.items():
        browser.post(admin_url("apitoken", "delete", token.pk), {"post": "yes"})
        assert ApiToken.objects.filter(pk=token.pk).exists() == (owner not in SEES[name])


def test_several_are_revoked_at_once(world, session_of):
    tokens = [token_of(world.alice), token_of(world.users["ada"]), token_of(world.bob)]
    chosen = {
        "action": "delete_selected",
        "_selected_action": [str(token.pk) for token in tokens],
        "post": "yes",
    }
    session_of(world.users["ada"]).post(admin_url("apitoken", "changelist"), chosen)
    assert [token.user for token in ApiToken.objects.all()] == [world.bob]


def test_a_token_does_not_change(world, session_of):
    token = token_of(world.alice)
    browser = session_of(world.alice)
    before = everything()
    answer = browser.post(admin_url("apitoken", "change", token.pk), {"note": "other", "days": "9"})
    assert answer.status_code == 403
    assert everything() == before
    token.refresh_from_db()
    assert token.note == "notebook"


def test_who_acts_for_no_organisation_has_no_use_for_a_token(world, session_of):
    page = session_of(world.users["root"]).get(admin_url("apitoken", "add"))
    assert page.status_code == 403
