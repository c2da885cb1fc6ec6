"""Signing in: tokens of both kinds, and what each way of not having one is shown. Contract 1.2."""

from datetime import datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from assets.accounts.models import ApiToken
from assets.accounts.registration.tokens import create_token, token_digest
from assets.accounts.rules import EXPIRES_SOON, expiry_of
from tests.cast import PASSWORD

LOGIN = "/api/api-token-auth/"
SAFE = "/api/organization/"


def log_in(client, username="alice", password=PASSWORD, format="multipart"):
    return client.post(LOGIN, {"username": username, "password": password}, format=format)


@pytest.mark.parametrize("format", ["multipart", "json"])
def test_a_password_gives_a_token_that_signs_in(anonymous, alice, format):
    answer = log_in(anonymous, format=format)

    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"id", "expires_at", "created_at", "token"}
    assert len(body["token"]) == 40
    assert datetime.fromisoformat(body["expires_at"]).tzinfo is not None
    signed_in = anonymous.get(SAFE, HTTP_AUTHORIZATION=f"Token {body['token']}")
    assert signed_in.status_code == 200


def test_only_a_digest_of_the_secret_is_kept(anonymous, alice):
    secret = log_in(anonymous).json()["token"]

    token = ApiToken.objects.get()
    assert token.digest == token_digest(secret)
    kept = [str(getattr(token, field.attname)) for field in ApiToken._meta.fields]
    assert not any(secret in value for value in kept)


def test_signing_in_leaves_other_tokens_alone_and_forgets_expired_ones(anonymous, alice, freezer):
    freezer(timedelta(days=-2))
    first = log_in(anonymous).json()["token"]
    named, _ = create_token(alice, expires_at=timezone.now() + timedelta(hours=1))
    freezer(timedelta())
    second = log_in(anonymous).json()["token"]
    third = log_in(anonymous).json()["token"]

    assert ApiToken.objects.filter(pk=named.pk).exists()
    for secret, status in ((first, 401), (second, 200), (third, 200)):
        answer = anonymous.get(SAFE, HTTP_AUTHORIZATION=f"Token {secret}")
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("credentials", "expected"),
    [
        (
            {"username": "alice", "password": "wrong"},
            {"non_field_errors": ["Unable to log in with provided credentials."]},
        ),
        (
            {"username": "unknown", "password": PASSWORD},
            {"non_field_errors": ["Unable to log in with provided credentials."]},
        ),
        ({"username": "alice"}, {"password": ["This field is required."]}),
        ({"password": PASSWORD}, {"username": ["This field is required."]}),
    ],
    ids=["wrong password", "unknown user", "no password", "no user"],
)
def test_what_does_not_sign_in(anonymous, alice, credentials, expected):
    answer = anonymous.post(LOGIN, credentials)

    assert answer.status_code == 400
    assert answer.json() == expected


def test_an_inactive_user_does_not_sign_in(anonymous, alice, client_of):
    client = client_of(alice)
    alice.is_active = False
    alice.save()

    assert log_in(anonymous).status_code == 400
    assert client.get(SAFE).json() == {"detail": "Invalid token."}


def test_signing_in_does_not_look_at_an_old_token(anonymous, alice):
    anonymous.credentials(HTTP_AUTHORIZATION="Token nonsense")

    assert log_in(anonymous).status_code == 200


def test_signing_in_by_password_can_be_switched_off(anonymous, alice, settings):
    settings.PASSWORD_LOGIN_FOR_API = False
    answer = log_in(anonymous)

    assert answer.status_code == 403
    assert answer.json() == {
        "detail": "Implicit login is disabled on this server",
        "substra_identifier": "implicit_login_disabled",
    }


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (None, "Authentication credentials were not provided."),
        ("Token None", "Invalid token."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token two words", "Invalid token header. It should not contain spaces."),
        ("Token ÿ", "Invalid token."),
        ("Basic YTpi", "Authentication credentials were not provided."),
    ],
)
def test_what_a_request_without_a_good_token_is_shown(anonymous, db, header, detail):
    headers = {} if header is None else {"HTTP_AUTHORIZATION": header}
    answer = anonymous.get(SAFE, **headers)

    assert answer.status_code == 401
    assert answer.json() == {"detail": detail}
    assert answer["WWW-Authenticate"] == "Token"


def test_an_expired_token(anonymous, alice, freezer):
    freezer(timedelta(hours=-2))
    _, secret = create_token(alice, expires_at=timezone.now() + timedelta(hours=1))
    freezer(timedelta())

    answer = anonymous.get(SAFE, HTTP_AUTHORIZATION=f"Token {secret}")
    assert (answer.status_code, answer.json()) == (401, {"detail": "The token is expired"})


def test_the_token_of_a_deleted_user(client_of, alice):
    client = client_of(alice)
    alice.delete()

    assert client.get(SAFE).status_code == 401


def test_a_user_without_organisation_acts_for_no_one(client_of, root):
    answer = client_of(root).get(SAFE)

    assert answer.status_code == 403
    assert answer.json() == {"detail": "You do not have permission to perform this action."}


def test_a_token_costs_one_statement(client_of, alice, django_assert_num_queries):
    client = client_of(alice)

    with django_assert_num_queries(2):  # the token with its user; the organisations
        client.get(SAFE)


def test_named_tokens_are_made_listed_and_revoked(client_of, anonymous, alice, bob):
    client = client_of(alice)
    expires_at = (timezone.now() + timedelta(days=3)).isoformat()
    made = client.post("/api/api-token/", {"expires_at": expires_at, "note": "notebook"})
    log_in(anonymous)
    listed = client.get("/api/active-api-tokens/").json()

    assert made.status_code == 200
    assert set(made.json()) == {"id", "note", "expires_at", "created_at", "token"}
    assert [token["note"] for token in listed["tokens"]] == ["notebook", ""]
    assert len(listed["implicit_tokens"]) == 1
    assert all("token" not in token for kind in listed.values() for token in kind)

    address = f"/api/active-api-tokens/?id={made.json()['id']}"
    not_mine = client_of(bob).delete(address)
    assert (not_mine.status_code, not_mine.json()) == (404, {"detail": "Token not found"})
    removed = client.delete(address)
    assert (removed.status_code, removed.json()) == (200, {"detail": "Token removed"})
    assert (
        anonymous.get(SAFE, HTTP_AUTHORIZATION=f"Token {made.json()['token']}").status_code == 401
    )


@pytest.mark.parametrize("id", ["", "nonsense", "2f0fd4ce-0000-4000-8000-000000000000"])
def test_revoking_what_is_no_token(client_of, alice, id):
    answer = client_of(alice).delete(f"/api/active-api-tokens/?id={id}")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Token not found"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "expires_at"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2999-01-01T00:00:00Z", "note": "x" * 101}, "note"),
    ],
    ids=["no end", "no date", "in the past", "long note"],
)
def test_tokens_that_are_not_made(client_of, alice, body, field):
    answer = client_of(alice).post("/api/api-token/", body, format="json")

    assert answer.status_code == 400
    assert list(answer.json()) == [field]
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("path", ["api-token", "active-api-tokens"])
@pytest.mark.parametrize("method", ["get", "post", "delete"])
def test_tokens_are_nobodys_in_particular(anonymous, db, path, method):
    assert getattr(anonymous, method)(f"/api/{path}/").status_code == 401


@pytest.mark.parametrize("body", [[], "username", 5, None])
@pytest.mark.parametrize("path", ["api-token-auth", "api-token"])
def test_a_body_that_is_no_object(client_of, alice, path, body):
    assert client_of(alice).post(f"/api/{path}/", body, format="json").status_code == 400


@pytest.mark.parametrize("total", [3, 30])
def test_many_tokens_cost_as_many_statements_as_few(
    client_of, alice, django_assert_num_queries, total
):
    client = client_of(alice)
    for _ in range(1, total):
        create_token(alice, expires_at=timezone.now() + timedelta(hours=1))

    with django_assert_num_queries(2):  # the token with its user; the tokens
        assert len(client.get("/api/active-api-tokens/").json()["tokens"]) == total


def test_tokens_are_listed_newest_first_and_only_while_valid(client_of, alice, freezer):
    client = client_of(alice)
    for days, lifetime, note in ((-3, 1, "expired"), (-2, 9, "older"), (-1, 9, "newer")):
        freezer(timedelta(days=days))
        create_token(alice, expires_at=timezone.now() + timedelta(days=lifetime), note=note)
    freezer(timedelta())
    listed = client.get("/api/active-api-tokens/").json()

    assert [token["note"] for token in listed["tokens"]] == ["", "newer", "older"]


def test_a_token_that_would_never_be_valid(alice):
    with pytest.raises(ValidationError, match="future"):
        create_token(alice, expires_at=timezone.now() - timedelta(seconds=1))
    assert not ApiToken.objects.exists()


def test_when_a_token_expires_soon():
    now, moment = timezone.now(), timedelta(microseconds=1)
    assert expiry_of(now, now) == "expired"
    assert expiry_of(now + moment, now) == "soon"
    assert expiry_of(now + EXPIRES_SOON, now) == "soon"
    assert expiry_of(now + EXPIRES_SOON + moment, now) == ""
