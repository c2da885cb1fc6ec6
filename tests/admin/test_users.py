"""Who sees and manages which users and organisations in the admin."""

import pytest
from django.test import Client

from assets.accounts.models import Organization, Role, User
from assets.accounts.registration.users import create_user
from tests.cast import PASSWORD
from tests.rules.cases import everything
from tests.rules.world import A, B

from .interface import admin_url

NEW = "another-good-passphrase"
# The users that each user sees in the list.
SEES = {
    "root": {"alice", "ada", "victor", "bob", "carol", "root"},
    "ada": {"alice", "ada", "victor"},
    "alice": {"alice"},
    "victor": {"victor"},
    "bob": {"bob"},
}
MANAGES = {"root": SEES["root"], "ada": SEES["ada"]}


def change(user: User, **changes) -> dict:
    """What the page of a user sends when nothing but `changes` was typed."""
    data = {"role": user.role, "is_active": "on" if user.is_active else "", "new_password": ""}
    return {name: value for name, value in {**data, **changes}.items() if value}


@pytest.mark.parametrize("name", SEES)
def test_who_is_listed(name, world, session_of):
    page = session_of(world.users[name]).get(admin_url("user", "changelist"))
    assert {user.username for user in page.context["cl"].result_list} == SEES[name]


@pytest.mark.parametrize("name", SEES)
@pytest.mark.parametrize("other", ["alice", "bob", "victor", "root"])
def test_whose_page_is_there(other, name, world, session_of):
    user = world.users[other]
    browser = session_of(world.users[name])
    seen, edited = other in SEES[name], other in MANAGES.get(name, ())
    shown = browser.get(admin_url("user", "change", user.pk))
    assert shown.status_code == (200 if seen else 302)
    url = admin_url("user", "edit", user.pk)
    assert browser.get(url).status_code == (200 if edited else 403 if seen else 404)
    assert (url in shown.content.decode()) == edited
    before = everything()
    sent = browser.post(url, change(user, role=Role.ADMIN, new_password=NEW))
    user.refresh_from_db()
    managed = edited and other != name
    assert user.check_password(NEW) == managed
    assert sent.status_code in ((302,) if managed else (200, 302, 403, 404))
    if not managed:
        assert everything() == before


@pytest.mark.parametrize("name", SEES)
def test_who_adds_users(name, admin, world):
    actor = world.users[name]
    admin.session_of(actor)
    data = {"username": "newton", "organization": B, "role": "member", "password": NEW}
    page = admin.post(actor, admin_url("user", "add"), data)
    if name in MANAGES:
        assert page.accepted, page.errors
        user = User.objects.get(username="newton")
        # An organisation's admin adds users to its own, whatever is sent.
        assert user.organization_id == (B if name == "root" else A)
        assert (user.role, user.check_password(NEW)) == (Role.MEMBER, True)
    else:
        assert page.response.status_code == 403
        assert not User.objects.filter(username="newton").exists()


ESCALATION = {
    "is_superuser": "on",
    "is_staff": "on",
    "groups": ["1"],
    "user_permissions": ["1"],
    "organization": B,
    "username": "changed",
}


@pytest.mark.parametrize("name", ["ada", "root"])
def test_no_one_becomes_more_than_an_admin(name, admin, world):
    actor = world.users[name]
    data = {"username": "newton", "role": "admin", "password": NEW, **ESCALATION}
    admin.post(actor, admin_url("user", "add"), {**data, "username": "newton"})
    url = admin_url("user", "edit", world.alice.pk)
    admin.post(actor, url, change(world.alice, role=Role.ADMIN, **ESCALATION))
    for username in ("newton", "alice"):
        user = User.objects.get(username=username)
        assert (user.is_superuser, user.is_staff, user.groups.count()) == (False, False, 0)
        assert user.role == Role.ADMIN
    assert User.objects.get(username="alice").organization_id == A


def test_a_superuser_of_an_organisation_is_not_managed_by_its_admin(admin, world):
    """Whoever sets a superuser's password becomes one."""
    user = create_user(
        "super", organization=world.alice.organization, password=PASSWORD, is_superuser=True
    )
    ada = world.users["ada"]
    page = admin.post(ada, admin_url("user", "edit", user.pk), change(user, new_password=NEW))
    assert page.response.status_code == 403
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


BROKEN = {
    "taken": ({"username": "alice"}, "username", "already exists"),
    "no name": ({"username": ""}, "username", "cannot be blank"),
    "odd name": ({"username": "a b"}, "username", "valid username"),
    "short password": ({"password": "abc"}, "password", "too short"),
    "password like the name": ({"password": "newton12"}, "password", "too similar"),
    "no organisation": ({"organization": ""}, "", "Choose the organisation"),
    "unknown role": ({"role": "king"}, "role", "Select a valid choice"),
}


@pytest.mark.parametrize(("changes", "place", "message"), BROKEN.values(), ids=BROKEN)
def test_errors_are_shown_at_their_fields(changes, place, message, admin, world):
    root = world.users["root"]
    data = {"username": "newton", "organization": A, "role": "member", "password": NEW}
    admin.session_of(root)
    before = everything()
    page = admin.post(root, admin_url("user", "add"), {**data, **changes})
    assert page.response.status_code == 200
    assert {error.place for error in page.errors} == {place}
    assert message in page.errors[0].message
    assert everything() == before


def test_deactivating_and_letting_in_again(admin, world):
    ada, alice = world.users["ada"], world.alice
    url = admin_url("user", "edit", alice.pk)
    assert admin.post(ada, url, change(alice, is_active="")).accepted
    credentials = {"username": "alice", "password": PASSWORD}
    assert Client().post("/admin/login/", credentials).status_code == 422
    alice.refresh_from_db()
    assert admin.post(ada, url, change(alice, is_active="on")).accepted
    assert Client().post("/admin/login/", credentials).status_code == 302


@pytest.mark.parametrize("changes", [{"role": "member"}, {"is_active": ""}])
def test_admins_cannot_lock_themselves_out(changes, admin, world):
    ada = world.users["ada"]
    admin.session_of(ada)
    before = everything()
    page = admin.post(ada, admin_url("user", "edit", ada.pk), change(ada, **changes))
    assert page.response.status_code == 200
    assert "You cannot demote, deactivate or delete yourself" in page.text
    assert everything() == before


def test_an_organisation_keeps_an_admin(admin, world):
    ada, root = world.users["ada"], world.users["root"]
    page = admin.post(root, admin_url("user", "edit", ada.pk), change(ada, role="viewer"))
    assert "last active admin" in page.text
    ada.refresh_from_db()
    assert ada.role == Role.ADMIN


def test_a_weak_new_password_is_refused_at_its_field(admin, world):
    ada = world.users["ada"]
    url = admin_url("user", "edit", world.alice.pk)
    page = admin.post(ada, url, change(world.alice, new_password="123"))
    assert {error.place for error in page.errors} == {"new_password"}
    world.alice.refresh_from_db()
    assert world.alice.check_password(PASSWORD)


@pytest.mark.parametrize("name", SEES)
def test_users_cannot_be_deleted(name, world, session_of):
    browser = session_of(world.users[name])
    url = admin_url("user", "delete", world.alice.pk)
    assert browser.post(url, {"post": "yes"}).status_code in (302, 403)
    assert User.objects.filter(username="alice").exists()


# --- Organisations -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SEES)
def test_who_adds_organisations(name, admin, world):
    actor = world.users[name]
    page = admin.post(actor, admin_url("organization", "add"), {"id": "NewMSP", "name": "New"})
    assert page.response.status_code == (302 if name == "root" else 403)
    assert Organization.objects.filter(id="NewMSP", name="New").exists() == (name == "root")


@pytest.mark.parametrize("id", ["", "a b", A])
def test_an_organisation_that_cannot_be(id, admin, world):
    page = admin.post(world.users["root"], admin_url("organization", "add"), {"id": id})
    assert [error.place for error in page.errors] == ["id"]
    assert Organization.objects.count() == 3


@pytest.mark.parametrize("name", SEES)
def test_an_organisation_does_not_change(name, world, session_of):
    browser = session_of(world.users[name])
    url = admin_url("organization", "change", A)
    assert browser.get(url).status_code == 200
    assert browser.post(url, {"name": "Other"}).status_code == 403
