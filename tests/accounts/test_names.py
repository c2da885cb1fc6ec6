"""Names that differ in case only, or look alike, are one name, also at sign-in."""

import io
from collections import Counter
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from assets.accounts.models import Organization, User
from assets.accounts.queries import find_user
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.users import create_user
from assets.common.text.names import name_key
from tests.cast import PASSWORD
from tests.files.conftest import shared_database  # noqa: F401  a fixture
from tests.files.threads import at_once

pytestmark = pytest.mark.postgresql

ALIKE = {
    "case": "ALICE",
    "a capital I for an l": "aIice",
    "a digit for an l": "a1ice",
    "full width": "ａｌｉｃｅ",
    "mathematical letters": "𝐚𝐥𝐢𝐜𝐞",
    "Cyrillic only, but for one letter": "аliсе",
}
APART = ["alicia", "alice2", "alice.b", "алиса", "αλίκη", "爱丽丝", "élice", "al-ice"]


@pytest.mark.parametrize("name", ALIKE.values(), ids=ALIKE)
def test_a_name_like_anothers_is_refused(name, alice, org_b):
    with pytest.raises(ValidationError) as refused:
        create_user(name, organization=org_b)
    assert list(refused.value.error_dict) == ["username"]


@pytest.mark.parametrize("name", ["external", "Deleted", "еxternal", "externaI", ".", "..", "@_"])
def test_a_name_that_is_no_user_s_own_is_refused(name, org_b):
    with pytest.raises(ValidationError) as refused:
        create_user(name, organization=org_b)
    assert list(refused.value.error_dict) == ["username"]


@pytest.mark.parametrize("name", APART)
def test_a_name_of_its_own_is_taken(name, alice, org_b):
    assert create_user(name, organization=org_b).username == name


@pytest.mark.parametrize("name", ["САША", "саша", "caшa"])
def test_whole_words_of_another_script(name, org_a):
    """What looks like Latin letters only is compared with them; mixed words are refused."""
    create_user("саша", organization=org_a)
    with pytest.raises(ValidationError):
        create_user(name, organization=org_a)


def by_form(name, browser, api):
    return browser.post("/users/new/", {"username": name, "role": "member"})


def by_admin(name, browser, api):
    return browser.post("/admin/assets/user/add/", {"username": name, "role": "member"})


def by_api(name, browser, api):
    return api.post("/api/users/", {"username": name, "password": PASSWORD}, format="json")


@pytest.mark.parametrize("interface", [by_form, by_admin, by_api])
def test_every_interface_refuses_it(interface, alice, ada, session_of, client_of):
    answer = interface("Alice", session_of(ada), client_of(ada))
    assert "already exists" in answer.content.decode()
    assert not User.objects.filter(username="Alice").exists()
    assert interface("nina", session_of(ada), client_of(ada)).status_code < 400
    assert User.objects.filter(username="nina").exists()


def test_commands_refuse_it(alice, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(CommandError, match="already exists"):
        call_command("create_user", "ALICE", organization="MyOrg1MSP")
    with pytest.raises(CommandError, match="already exists"):
        call_command("create_organization", "myorg1msp")


def test_the_database_refuses_it_too(alice):
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="ALICE", organization=alice.organization)


@pytest.mark.parametrize(
    ("id", "name"),
    [
        ("MYORG1MSP", "Ours"),
        ("MyOrglMSP", "Ours"),
        ("OursMSP", "first  HOSPITAL"),
        ("OursMSP", "Fіrѕt hоspital"),
        ("OursMSP", "MyOrg1MSP"),
        ("First-hospital", "first hospital"),
    ],
)
def test_an_organisation_like_another_is_refused(id, name, org_a):
    with pytest.raises(ValidationError):
        create_organization(id, name=name)
    create_organization("OursMSP", name="Клиника GmbH")
    create_organization("TheirsMSP")
    create_organization("NobodysMSP")


@pytest.mark.parametrize("path", ["/sign-in/", "/admin/login/", "/api/api-token-auth/"])
@pytest.mark.parametrize("name", ["alice", "Alice", "ALICE", "ａlice"])
def test_users_sign_in_whatever_the_case(path, name, alice):
    answer = Client().post(path, {"username": name, "password": PASSWORD})
    assert answer.status_code in (200, 302)


def test_looking_like_a_user_is_not_being_it(alice):
    answer = Client().post("/sign-in/", {"username": "aIice", "password": PASSWORD})
    assert answer.status_code == 422


def test_another_case_allows_no_more_guesses(alice, settings):
    settings.LOGIN_FAILURES_PER_USER = 3
    for name in ("alice", "Alice", "ALICE"):
        Client().post("/sign-in/", {"username": name, "password": "wrong"})
    answer = Client().post("/sign-in/", {"username": "aLICE", "password": PASSWORD})
    assert answer.status_code == 429


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_one(shared_database, org_a):  # noqa: F811
    def make(name):
        try:
            return [create_user(name, organization=org_a)] and "made"
        except ValidationError as error:
            return str(list(error.error_dict))

    made = at_once(*[lambda name=name: make(name) for name in ("nina", "Nina", "NINA")])
    assert Counter(made) == {"made": 1, "['username']": 2}


def test_names_that_are_there_already_stay(alice, org_a, caplog):
    """As the migration finds them: pairs from before names were compared."""
    User.objects.exclude(pk=alice.pk).delete()
    User.objects.update(name_key=None)
    twin = User(username="Alice", organization=org_a)
    twin.set_password("another-long-password")
    twin.save()
    Organization(id="myorg1msp", name="first hospital", id_key="x").save()
    User.objects.update(name_key=None)
    Organization.objects.update(id_key=None, name_key=None)
    import_module("assets.migrations.0013_names").fill(apps, None)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 3
    assert '"alice" and "Alice"' in caplog.text
    keys = list(User.objects.order_by("pk").values_list("name_key", flat=True))
    assert keys == [name_key("alice"), f"{name_key('alice')}\n{twin.pk}"]
    # Each is found by its name as written, and neither by another.
    assert (find_user("alice"), find_user("Alice"), find_user("ALICE")) == (alice, twin, None)
    for name, password in (("alice", PASSWORD), ("Alice", "another-long-password")):
        answer = Client().post("/sign-in/", {"username": name, "password": password})
        assert answer.status_code == 302
    alice.delete()
    with pytest.raises(ValidationError):
        create_user("aLice", organization=org_a)
