"""The account: who one is, API tokens, and how one likes lists."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from assets.accounts.models import ApiToken
from assets.accounts.registration.tokens import create_token

ACCOUNT = "/account/"
NEW = "/account/tokens/new/"


def make_token(user, days=30, note="notebook", kind=ApiToken.Kind.NAMED):
    return create_token(
        user, expires_at=timezone.now() + timedelta(days=days), note=note, kind=kind
    )[0]


def expire(token):
    ApiToken.objects.filter(pk=token.pk).update(
        created_at=timezone.now() - timedelta(days=2),
        expires_at=timezone.now() - timedelta(days=1),
    )


# --- Who one is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown", "not_shown"),
    [
        ("alice", "Register assets for MyOrg1MSP", "Manage the users"),
        ("ada", "Manage the users", "cannot register or change anything"),
        ("victor", "cannot register or change anything", "Register assets for"),
        ("root", "adds organisations and manages", "Download files that"),
    ],
)
def test_everybody_is_shown_what_it_may_do(name, shown, not_shown, request, session_of):
    user = request.getfixturevalue(name)
    text = session_of(user).get(ACCOUNT).content.decode()
    assert shown in text
    assert not_shown not in text


def test_members_see_who_to_ask(session_of, alice, ada):
    assert "<dt>Admins</dt><dd>ada</dd>" in session_of(alice).get(ACCOUNT).content.decode()


@pytest.mark.parametrize("rows", [2, 20])
def test_queries_of_the_account(rows, session_of, alice, ada, django_assert_num_queries):
    for _ in range(rows):
        make_token(alice, days=3)
        make_token(alice, kind=ApiToken.Kind.IMPLICIT)
    browser = session_of(alice)
    with django_assert_num_queries(5):
        browser.get(ACCOUNT)


# --- Tokens --------------------------------------------------------------------------------------


def test_without_tokens_the_account_says_what_they_are_for(session_of, alice):
    text = session_of(alice).get(ACCOUNT).content.decode()
    assert "No API tokens yet" in text
    assert f'href="{NEW}"' in text


def test_tokens_are_listed_without_their_secrets(session_of, alice, bob):
    ends = make_token(alice, days=3, note="ends soon")
    lasts = make_token(alice, days=30, note="lasts")
    gone = make_token(alice, note="gone")
    expire(gone)
    implicit = make_token(alice, days=1, kind=ApiToken.Kind.IMPLICIT, note="")
    others = make_token(bob, note="of others")
    text = session_of(alice).get(ACCOUNT).content.decode()
    for token in (ends, lasts, gone, implicit):
        assert reverse("account-token-revoke", args=[token.pk]) in text
    assert str(others.pk) not in text
    assert "The token <strong>ends soon</strong> expires" in text
    assert "<strong>lasts</strong>" not in text
    assert text.count(">expired</span>") == 1
    assert text.count(">expires soon</span>") == 1
    assert "Tokens from password sign-ins" in text


def test_a_token_is_shown_in_the_answer_and_never_again(session_of, alice, client_of, anonymous):
    browser = session_of(alice)
    answer = browser.post(NEW, {"note": "notebook", "days": "30"})
    text = answer.content.decode()
    assert answer.status_code == 200
    (secret,) = re.findall(r'id="token-secret" readonly value="([0-9a-f]{40})"', text)
    assert f"Authorization: Token {secret}" in text
    assert f'url="http://testserver/api",\n    token="{secret}",' in text
    assert 'data-copy-from="token-secret"' in text
    assert "no-store" in answer["Cache-Control"]

    assert secret not in str(dict(browser.session))
    assert secret not in str(browser.cookies)
    for path in (ACCOUNT, NEW, "/"):
        assert secret not in browser.get(path).content.decode()
    token = ApiToken.objects.get()
    assert (token.note, token.user, token.kind) == ("notebook", alice, ApiToken.Kind.NAMED)
    assert token.expires_at - token.created_at == pytest.approx(
        timedelta(days=30), abs=timedelta(seconds=9)
    )
    anonymous.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    assert anonymous.get("/api/info/").json()["user"] == "alice"


def test_a_form_that_is_sent_again_makes_no_second_token(session_of, alice):
    """A browser that reloads the answer sends the form once more."""
    browser = session_of(alice)
    page = browser.get(NEW).content.decode()
    (token, *_) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    values = {"note": "notebook", "days": "30", "csrfmiddlewaretoken": token}
    assert "token-secret" in browser.post(NEW, values).content.decode()
    again = browser.post(NEW, values, follow=True)
    assert again.redirect_chain == [(ACCOUNT, 302)]
    assert "The token was created once" in again.content.decode()
    assert "token-secret" not in again.content.decode()
    assert ApiToken.objects.count() == 1
    assert token not in browser.get(NEW).content.decode()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"days": "0"}, "greater than or equal to 1"),
        ({"days": "4000"}, "less than or equal to 3650"),
        ({"days": "soon"}, "Enter a whole number"),
        ({"days": ""}, "This field is required"),
        ({"days": "3", "note": "n" * 101}, "at most 100 characters"),
    ],
)
def test_tokens_that_are_not_made(values, message, session_of, alice):
    answer = session_of(alice).post(NEW, {"note": "kept", **values})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert message in text
    assert "No token was created." in text
    assert f'value="{values.get("note", "kept")}"' in text
    assert not ApiToken.objects.exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_acts_for_no_one_has_no_token(method, session_of, root):
    answer = getattr(session_of(root), method)(NEW, {"days": "3"})
    assert answer.status_code == 403
    assert "your account belongs to none" in answer.content.decode()
    assert not ApiToken.objects.exists()
    assert NEW not in session_of(root).get(ACCOUNT).content.decode()


def test_viewers_have_tokens(session_of, victor):
    assert session_of(victor).post(NEW, {"days": "3"}).status_code == 200


def test_revoking_asks_first(session_of, alice):
    token = make_token(alice)
    url = reverse("account-token-revoke", args=[token.pk])
    browser = session_of(alice)
    page = browser.get(url)
    assert page.status_code == 200
    assert "Revoke notebook" in page.content.decode()
    assert "can no longer sign in" in page.content.decode()
    assert ApiToken.objects.exists()
    answer = browser.post(url, follow=True)
    assert "Token notebook revoked." in answer.content.decode()
    assert not ApiToken.objects.exists()
    assert browser.post(url).status_code == 404


def test_expired_tokens_leave_the_list(session_of, alice):
    token = make_token(alice)
    expire(token)
    url = reverse("account-token-revoke", args=[token.pk])
    assert "This token has expired" in session_of(alice).get(url).content.decode()


@pytest.mark.parametrize("name", ["bob", "ada", "root"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_tokens_of_others_are_not_known(name, method, request, session_of, alice):
    token = make_token(alice)
    browser = session_of(request.getfixturevalue(name))
    for key in (token.pk, uuid.uuid4()):
        url = reverse("account-token-revoke", args=[key])
        assert getattr(browser, method)(url).status_code == 404
    assert ApiToken.objects.count() == 1


# --- How one likes lists -------------------------------------------------------------------------


def choose(browser, name="organizations", **values):
    return browser.post(f"/choices/{name}/", values)


def test_a_list_is_remembered_as_it_was_chosen(session_of, alice, bob):
    browser = session_of(alice)
    answer = choose(browser, columns=["id", "name"], per_page="25", next="?q=hosp&sort=-id")
    assert (answer.status_code, answer["Location"]) == (302, "/organisations/?q=hosp&sort=-id")
    alice.refresh_from_db()
    assert alice.preferences == {"list:organizations": {"columns": ["id", "name"], "per_page": 25}}
    text = browser.get("/organisations/").content.decode()
    assert "<option selected>25</option>" in text
    assert len(re.findall(r'<th[^>]*scope="col"', text)) == 2
    # Another list and another user keep their own.
    bob.refresh_from_db()
    assert bob.preferences == {}


def test_choices_add_up_and_are_taken_back(session_of, alice):
    browser = session_of(alice)
    choose(browser, "users", columns=["role"])
    choose(browser, "organizations", per_page="100")
    choose(browser, "users")
    alice.refresh_from_db()
    assert alice.preferences == {"list:users": {}, "list:organizations": {"per_page": 100}}


@pytest.mark.parametrize(
    ("values", "kept"),
    [
        ({"columns": ["digest", "id", "x" * 9000]}, {"columns": ["id"]}),
        ({"columns": ["nothing"]}, {}),
        ({"per_page": "51"}, {}),
        ({"per_page": "9" * 5000}, {}),
        ({"per_page": "-25"}, {}),
    ],
)
def test_only_what_a_list_has_is_remembered(values, kept, session_of, alice):
    assert choose(session_of(alice), **values).status_code == 302
    alice.refresh_from_db()
    assert alice.preferences == {"list:organizations": kept}


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("", "/organisations/"),
        ("?", "/organisations/"),
        ("https://elsewhere.example/", "/organisations/?https://elsewhere.example/"),
        ("//elsewhere.example/", "/organisations/?//elsewhere.example/"),
        ("?q=a\r\nSet-Cookie: b=c", "/organisations/?q=a%0D%0ASet-Cookie:%20b=c"),
    ],
)
def test_choices_lead_back_to_the_list_and_nowhere_else(wanted, leads_to, session_of, alice):
    assert choose(session_of(alice), next=wanted)["Location"] == leads_to


@pytest.mark.parametrize("name", ["nothing", "account", "sign-out", "dataset", "Users", "a_b"])
def test_lists_that_are_not_there(name, session_of, alice):
    assert choose(session_of(alice), name, per_page="25").status_code == 404
    alice.refresh_from_db()
    assert alice.preferences == {}


def test_choices_are_sent(session_of, alice):
    assert session_of(alice).get("/choices/users/").status_code == 405


@pytest.mark.parametrize(
    "name",
    ["datasets", "data-samples", "functions", "compute-plans", "tasks", "users", "activity"],
)
def test_every_list_can_be_chosen(name, session_of, alice):
    answer = choose(session_of(alice), name, per_page="25")
    assert (answer.status_code, answer["Location"]) == (302, reverse(name))
