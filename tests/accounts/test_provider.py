"""Signing in by OpenID Connect, against a provider that runs as a process of its own."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth.signals import user_logged_in
from django.test import Client

from assets.accounts.models import ExternalIdentity, Role, User
from assets.accounts.registration.users import set_active

START, BACK = "/sign-in/provider/", "/sign-in/provider/return/"


def to_the_provider(browser: Client, wanted: str = "") -> str:
    """Begin; return where the provider sends the browser back to."""
    answer = browser.get(START, {"next": wanted} if wanted else {})
    assert answer.status_code == 302, answer.content.decode()
    sent = requests.get(answer["Location"], allow_redirects=False, timeout=10)
    assert sent.status_code == 302, sent.text
    return sent.headers["Location"].removeprefix("http://testserver")


def walk(browser: Client, wanted: str = ""):
    return browser.get(to_the_provider(browser, wanted))


def is_in(browser: Client) -> bool:
    return "_auth_user_id" in browser.session


def known(user: User, issuer: str, subject: str = "1234") -> ExternalIdentity:
    return ExternalIdentity.objects.create(
        issuer=issuer, subject=subject, user=user, username=user.username
    )


# --- On and off ----------------------------------------------------------------------------------


def test_without_a_provider_there_is_no_such_way(db):
    browser = Client()
    assert "Sign in with" not in browser.get("/sign-in/").content.decode()
    assert browser.get(START).status_code == 404
    assert browser.get(BACK).status_code == 404
    assert browser.get("/api/info/").json()["auth"] == {}


def test_the_page_and_the_api_say_that_there_is_one(db, provider):
    page = Client().get("/sign-in/?next=/tasks/").content.decode()
    assert "Sign in with Clinic login" in page
    assert 'href="/sign-in/provider/?next=%2Ftasks%2F"' in page
    assert Client().get("/api/info/").json()["auth"] == {
        "oidc": {"name": "Clinic login", "login_url": f"http://testserver{START}"}
    }


# --- The way through -----------------------------------------------------------------------------


def test_who_is_known_comes_in_and_goes_where_it_wanted(alice, provider, provider_url):
    known(alice, provider_url)
    browser, seen = Client(), []
    user_logged_in.connect(receiver := lambda user, **_: seen.append(user), weak=False)
    try:
        key = browser.session.session_key
        answer = walk(browser, "/tasks/")
    finally:
        user_logged_in.disconnect(receiver)
    assert (answer.status_code, answer["Location"]) == (302, "/tasks/")
    assert browser.get("/account/").status_code == 200
    assert seen == [alice]
    assert browser.session.session_key != key


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example", ""])
def test_no_one_is_led_to_another_host(wanted, alice, provider, provider_url):
    known(alice, provider_url)
    assert walk(Client(), wanted)["Location"] == "/"


def test_the_provider_is_asked_with_state_nonce_and_pkce(db, provider):
    asked = parse_qs(urlsplit(Client().get(START)["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert all(len(asked[name][0]) >= 20 for name in ("state", "nonce", "code_challenge"))
    assert asked["redirect_uri"] == [f"http://testserver{BACK}"]


# --- What is not believed ------------------------------------------------------------------------

# With the reason that the operator finds in the log.
FAULTS = {
    "nonce": "Invalid claim: 'nonce'",
    "no nonce": "Missing claim: 'nonce'",
    "audience": "Invalid claim: 'aud'",
    "audience with azp": "Invalid claim: 'aud'",
    "issuer": "Invalid claim: 'iss'",
    "expired": "The token is expired",
    "no expiry": "Missing claim: 'exp'",
    "no subject": "Missing claim: 'sub'",
    "signature": "bad_signature",
    "alg none": "Algorithm of 'none' is not allowed",
    "alg hmac": "Algorithm of 'HS256' is not allowed",
    "declined": "access_denied",
}


@pytest.mark.parametrize(("fault", "reason"), FAULTS.items(), ids=FAULTS)
def test_what_the_provider_says_is_checked(fault, reason, alice, provider, provider_url, caplog):
    known(alice, provider_url)
    provider(fault=fault)
    browser = Client()
    answer = walk(browser)
    assert answer.status_code == 400
    assert "The provider&#x27;s answer is not valid" in answer.content.decode()
    assert reason not in answer.content.decode()
    assert reason in caplog.text
    assert not is_in(browser)


def test_what_came_back_once_comes_back_in_vain(alice, provider, provider_url):
    known(alice, provider_url)
    browser = Client()
    back = to_the_provider(browser)
    assert browser.get(back).status_code == 302
    browser.post("/sign-out/")
    assert browser.get(back).status_code == 400
    assert not is_in(browser)


def test_what_another_browser_began_signs_no_one_in(alice, provider, provider_url):
    """Or else somebody could be signed in as the attacker, by a link."""
    known(alice, provider_url)
    back, victim = to_the_provider(Client()), Client()
    assert victim.get(back).status_code == 400
    victim.get(START)
    assert victim.get(back).status_code == 400
    assert not is_in(victim)


@pytest.mark.parametrize("query", ["", "code=x", "state=x", "code=x&state=y", "error=%00"])
def test_nonsense_from_anybody(query, db, provider):
    assert Client().get(f"{BACK}?{query}").status_code == 400


def test_a_provider_that_does_not_answer(db, provider, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    answer = Client().get(START)
    assert answer.status_code == 503
    assert "Clinic login does not respond" in answer.content.decode()


def test_a_provider_that_calls_itself_otherwise(db, provider, settings):
    settings.OIDC_ISSUER += "/"
    assert Client().get(START).status_code == 503


# --- Who comes in --------------------------------------------------------------------------------


def test_a_subject_of_another_issuer_is_somebody_else(alice, provider):
    known(alice, "https://elsewhere.example")
    assert walk(Client()).status_code == 403


def test_who_is_unknown_is_refused(alice, provider):
    provider(preferred_username="alice", email="alice@clinic.example", email_verified=True)
    browser = Client()
    answer = walk(browser)
    assert answer.status_code == 403
    assert "Ask an admin of your organisation to invite you" in answer.content.decode()
    assert not is_in(browser)
    assert not ExternalIdentity.objects.exists()


@pytest.mark.parametrize(
    ("by", "claims", "comes_in"),
    [
        ("username", {"preferred_username": "alice"}, True),
        ("username", {"preferred_username": "ALICE"}, False),
        ("username", {"preferred_username": "al\0ice"}, False),
        ("username", {"email": "alice@clinic.example", "email_verified": True}, False),
        ("email", {"email": "Alice@Clinic.example", "email_verified": True}, True),
        # An i without dot, which is an I in capital letters: another address.
        ("email", {"email": "alice@cl\u0131nic.example", "email_verified": True}, False),
        ("email", {"email": "alice@clinic.example", "email_verified": False}, False),
        ("email", {"email": "alice@clinic.example", "email_verified": "true"}, False),
        ("email", {"email": "alice@clinic.example"}, False),
        ("email", {"preferred_username": "alice"}, False),
        ("username", {"preferred_username": "root"}, False),
    ],
)
def test_by_which_claim_a_user_is_found(by, claims, comes_in, alice, root, provider, settings):
    User.objects.filter(pk=alice.pk).update(email="alice@clinic.example")
    settings.OIDC_LINK_BY = by
    provider(**claims)
    browser = Client()
    assert walk(browser).status_code == (302 if comes_in else 403)
    assert is_in(browser) == comes_in
    assert ExternalIdentity.objects.filter(user=alice).exists() == comes_in


def test_an_address_of_two_users_is_neithers(alice, bob, provider, settings):
    User.objects.update(email="shared@clinic.example")
    settings.OIDC_LINK_BY = "email"
    provider(email="shared@clinic.example", email_verified=True)
    assert walk(Client()).status_code == 403


def test_who_is_found_once_is_known_by_the_subject_and_by_no_one_elses(alice, provider, settings):
    settings.OIDC_LINK_BY = "username"
    provider(preferred_username="alice")
    assert walk(Client()).status_code == 302
    provider(preferred_username="renamed")
    assert walk(Client()).status_code == 302
    provider(sub="another", preferred_username="alice")
    assert walk(Client()).status_code == 403


def test_claims_that_only_the_userinfo_has(alice, provider, settings):
    settings.OIDC_LINK_BY = "username"
    provider(userinfo={"sub": "somebody-else", "preferred_username": "alice"})
    assert walk(Client()).status_code == 403
    provider(userinfo={"sub": "1234", "preferred_username": "alice"})
    assert walk(Client()).status_code == 302


def test_who_is_deactivated_stays_out(alice, ada, provider, provider_url):
    known(alice, provider_url)
    set_active(alice, False, ada)
    answer = walk(Client())
    assert answer.status_code == 403
    assert "deactivated" in answer.content.decode()


@pytest.mark.parametrize(
    ("claimed", "organization"),
    [
        ("MyOrg1MSP", "MyOrg1MSP"),
        (["staff", "MyOrg2MSP"], "MyOrg2MSP"),
        (["MyOrg1MSP", "MyOrg2MSP"], None),
        ("NoSuchMSP", None),
        ("My\0Org", None),
        (None, None),
    ],
)
def test_a_claim_can_say_whose_user_one_is(claimed, organization, org_a, org_b, provider, settings):
    settings.OIDC_UNKNOWN_USERS, settings.OIDC_ORGANIZATION_CLAIM = "create", "hospital"
    provider(preferred_username="newton", hospital=claimed)
    browser = Client()
    assert walk(browser).status_code == (302 if organization else 403)
    assert is_in(browser) == bool(organization)
    made = User.objects.filter(username="newton").first()
    assert (made and made.organization_id) == organization
    if made:
        assert (made.role, made.has_usable_password(), made.is_superuser) == (
            Role.MEMBER,
            False,
            False,
        )


@pytest.mark.parametrize("name", ["alice", "ALICE", "аlice"])
def test_a_name_that_is_taken_makes_no_user(name, alice, provider, settings):
    settings.OIDC_UNKNOWN_USERS, settings.OIDC_ORGANIZATION_CLAIM = "create", "hospital"
    provider(preferred_username=name, hospital="MyOrg1MSP")
    browser = Client()
    answer = walk(browser)
    assert answer.status_code == 403
    assert "already exists" in answer.content.decode()
    assert not is_in(browser)
    assert not ExternalIdentity.objects.exists()
