"""How often one may fail to sign in: one rule behind every interface that takes a password."""

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from assets.accounts.models import FailedSignIn
from tests.cast import PASSWORD

API = "/api/api-token-auth/"
# Each interface, with the status of a wrong password there.
INTERFACES = {"/sign-in/": 422, "/admin/login/": 422, "/api/session/login/": 422, API: 400}


@pytest.fixture(autouse=True)
def _few(settings):
    settings.LOGIN_FAILURES_PER_USER = 2
    settings.LOGIN_FAILURES_PER_ADDRESS = 4


def attempt(username="alice", password="wrong", interface=API, address="192.0.2.1", **headers):
    credentials = {"username": username, "password": password}
    return Client().post(interface, credentials, REMOTE_ADDR=address, **headers)


@pytest.mark.parametrize("interface", INTERFACES)
def test_a_wrong_password_is_counted_at_every_interface(interface, alice):
    assert [attempt(interface=interface).status_code for _ in range(2)] == [
        INTERFACES[interface]
    ] * 2
    for other in INTERFACES:
        answer = attempt(interface=other, password=PASSWORD)
        assert answer.status_code == 429
        assert "_auth_user_id" not in answer.client.session


def test_the_api_says_in_its_own_words_how_long(alice):
    for _ in range(2):
        attempt()
    answer = attempt()
    assert answer.json()["detail"].startswith("Request was throttled. Expected available in ")
    assert 800 < int(answer["Retry-After"]) <= 901


def test_the_page_says_how_long_and_nothing_of_the_user(alice):
    for name in ("alice", "unknown"):
        for _ in range(2):
            attempt(name)
    pages = [attempt(name, interface="/sign-in/").content.decode() for name in ("alice", "unknown")]
    assert all("There were too many attempts. Wait 15 minutes" in page for page in pages)


def test_another_user_and_another_address_are_free(alice, bob):
    for _ in range(2):
        attempt()
    assert attempt("bob", PASSWORD).status_code == 200
    assert attempt(password=PASSWORD, address="192.0.2.2").status_code == 200


def test_an_address_waits_whatever_names_it_tries(alice):
    assert [attempt(f"user{n}").status_code for n in range(5)] == [400, 400, 400, 400, 429]
    assert attempt(password=PASSWORD).status_code == 429
    assert attempt(password=PASSWORD, address="192.0.2.2").status_code == 200


def test_after_a_while_one_may_try_again(alice, clock):
    for _ in range(2):
        attempt()
    clock.step(14 * 60)
    assert attempt(password=PASSWORD).status_code == 429
    clock.step(61)
    assert attempt(password=PASSWORD).status_code == 200
    assert not FailedSignIn.objects.filter(username="alice").exists()


def test_signing_in_forgives_what_failed_before(alice):
    for _ in range(4):
        assert attempt().status_code == 400
        assert attempt(password=PASSWORD).status_code == 200
    assert set(FailedSignIn.objects.values_list("username", "failures")) == {("", 0)}


def test_signing_in_forgives_no_other_name_of_the_address(alice, bob):
    """Or else somebody with an account of its own could guess for ever."""
    for n in range(4):
        attempt(f"user{n}")
        attempt("bob", PASSWORD)
    assert attempt(password=PASSWORD).status_code == 429


def test_waiting_is_not_made_longer_by_trying(alice, clock):
    for _ in range(2):
        attempt()
    for _ in range(15):
        clock.step(59)
        attempt()
    clock.step(30)
    assert attempt(password=PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("address", "neighbour", "shared"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_network_of_ipv6_is_one_address(address, neighbour, shared, alice):
    for _ in range(2):
        attempt(address=address)
    assert attempt(address=neighbour).status_code == (429 if shared else 400)


def test_no_header_that_anyone_can_write_hides_who_guesses(alice, settings):
    settings.BEHIND_PROXY = False
    pretended = [f"198.51.100.{n}" for n in range(3)]
    statuses = [attempt(HTTP_X_FORWARDED_FOR=one).status_code for one in pretended]
    assert statuses == [400, 400, 429]


def test_behind_a_proxy_its_own_entry_says_who_guesses(alice, settings):
    settings.BEHIND_PROXY = True
    pretended = [f"198.51.100.{n}, 203.0.113.7" for n in range(3)]
    statuses = [attempt(HTTP_X_FORWARDED_FOR=one).status_code for one in pretended]
    assert statuses == [400, 400, 429]
    assert attempt(HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.8").status_code == 400


@pytest.mark.parametrize("name", ["x" * 300, "é" * 150, "a\tb"])
def test_names_that_no_one_has(name, db):
    assert [attempt(name).status_code for _ in range(3)] == [400, 400, 429]


# --- Lifting a lock ------------------------------------------------------------------------------


def test_an_admin_sees_the_lock_and_lifts_it(alice, ada, bob, session_of):
    for _ in range(2):
        attempt()
    browser, page = session_of(ada), f"/users/{alice.pk}/"
    text = browser.get(page).content.decode()
    assert "failed sign-ins from these addresses: 192.0.2.1" in text
    assert session_of(bob).post(f"{page}unlock/").status_code == 404
    assert attempt(password=PASSWORD).status_code == 429
    assert browser.post(f"{page}unlock/").status_code == 302
    assert "failed too often" not in browser.get(page).content.decode()
    assert attempt(password=PASSWORD).status_code == 200


def test_a_user_sees_no_locks_and_lifts_none(alice, session_of):
    for _ in range(2):
        attempt()
    browser = session_of(alice)
    assert "failed too often" not in browser.get(f"/users/{alice.pk}/").content.decode()
    assert browser.post(f"/users/{alice.pk}/unlock/").status_code == 403
    assert attempt(password=PASSWORD).status_code == 429


@pytest.mark.parametrize(
    ("options", "message", "status"),
    [
        ({"user": "alice"}, "Unlocked.", 200),
        ({"address": "192.0.2.1"}, "Unlocked.", 200),
        ({"user": "alice", "address": "192.0.2.2"}, "There were no recent failed attempts.", 429),
    ],
)
def test_the_command_lifts_locks(options, message, status, alice, capsys):
    for _ in range(2):
        attempt()
    call_command("unlock_sign_in", **options)
    assert capsys.readouterr().out.strip() == message
    assert attempt(password=PASSWORD).status_code == status


def test_the_command_wants_to_know_what(db):
    with pytest.raises(CommandError, match="--user"):
        call_command("unlock_sign_in")


def test_many_failures_cost_as_many_statements_as_few(
    alice, django_assert_max_num_queries, settings
):
    settings.LOGIN_FAILURES_PER_ADDRESS = 1000
    for n in range(20):
        attempt(f"user{n}")
    # Counting; the user; what the failure shows.
    with django_assert_max_num_queries(12):
        attempt()


def test_a_token_asks_nothing_of_all_this(client_of, alice, django_assert_num_queries):
    client = client_of(alice)
    with django_assert_num_queries(2):  # the token with its user; the organisations
        answer = client.get("/api/organization/")
    assert not answer.cookies
