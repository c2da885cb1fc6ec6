"""Pages of organisations and users: who sees which users, and who changes what."""

import csv
import io
import json
import re

import pytest
from django.test import Client

from assets.accounts.models import Organization, Role, User
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.users import create_user, set_active
from tests.builders import make_dataset, make_function, make_samples
from tests.cast import ORGANIZATIONS as ORGANIZATIONS_OF_CAST, USERS as USERS_OF_CAST

USERS = "/users/"
NEW = "/users/new/"
ORGANIZATIONS = "/organisations/"


def page_of(user: User) -> str:
    return f"/users/{user.pk}/"


def reset_of(user: User) -> str:
    return f"/users/{user.pk}/reset/"


def names_in(page) -> set[str]:
    rows = re.findall(r'<a href="/users/\d+/">([^<]+)</a>', page.content.decode())
    return set(rows)


@pytest.fixture
def rob(org_a) -> User:
    """A platform superuser who belongs to an organisation."""
    return create_user("rob", organization=org_a, is_superuser=True)


@pytest.fixture
def everybody(alice, ada, victor, bob, root, rob) -> dict[str, User]:
    return {user.username: user for user in (alice, ada, victor, bob, root, rob)}


# --- Who sees which users ------------------------------------------------------------------------

OF_A = {"alice", "ada", "victor", "rob"}


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("alice", {"alice"}),
        ("victor", {"victor"}),
        ("bob", {"bob"}),
        ("ada", OF_A),
        ("root", {*OF_A, "bob", "carol", "root"}),
    ],
)
def test_who_sees_which_users(name, seen, everybody, session_of):
    browser = session_of(everybody[name])
    page = browser.get(USERS)
    assert page.status_code == 200
    assert names_in(page) == seen
    for other, user in everybody.items():
        assert browser.get(page_of(user)).status_code == (200 if other in seen else 404)


def test_who_sees_itself_only_sees_who_to_ask(everybody, session_of):
    assert "You see only yourself. Users are managed by ada." in " ".join(
        session_of(everybody["alice"]).get(USERS).content.decode().split()
    )


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=vic", {"victor"}),
        ("role=admin", {"ada"}),
        ("active=False", {"alice"}),
        ("active=True&role=viewer", {"victor"}),
        ("organization=MyOrg2MSP", {"bob"}),
        ("q=unknown", set()),
    ],
)
def test_finding_users(query, names, everybody, session_of):
    set_active(everybody["alice"], False, everybody["root"])
    page = session_of(everybody["root"]).get(f"{USERS}?{query}")
    assert names_in(page) == names
    if not names:
        assert "No results match these filters." in page.content.decode()


def test_only_superusers_choose_the_organisation(everybody, session_of):
    for name, offered in (("root", True), ("ada", False)):
        text = session_of(everybody[name]).get(USERS).content.decode()
        assert ('name="organization"' in text) == offered


def test_users_are_exported(everybody, session_of):
    browser = session_of(everybody["ada"])
    answer = browser.get(f"{USERS}?export=csv&q=ada&columns=username,role,is_active,organization")
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode("utf-8-sig"))))
    assert rows[1] == ["ada", "MyOrg1MSP", "admin", "active"]
    answer = browser.get(f"{USERS}?export=json&columns=username,role&sort=username")
    found = json.loads(answer.getvalue())
    assert found[0] == {"username": "ada", "role": "admin"}
    assert {row["username"] for row in found} == OF_A
    assert {row["role"] for row in found if row["username"] == "rob"} == {"superuser"}


@pytest.mark.parametrize("rows", [2, 20])
def test_queries_of_the_users(rows, session_of, ada, org_a, django_assert_num_queries):
    for number in range(rows):
        create_user(f"user{number}", organization=org_a)
    browser = session_of(ada)
    with django_assert_num_queries(5):
        browser.get(USERS)
    with django_assert_num_queries(7):
        browser.get("/organisations/MyOrg1MSP/")


# --- Inviting ------------------------------------------------------------------------------------


def link_in(page) -> str:
    (link,) = re.findall(r'value="http://testserver(/set-password/[^"]+)"', page.content.decode())
    return link


def test_an_invited_user_chooses_its_password_by_the_link(session_of, ada):
    browser = session_of(ada)
    answer = browser.post(NEW, {"username": "nina", "role": "viewer"})
    nina = User.objects.get(username="nina")
    assert answer.status_code == 200
    assert "nina is invited" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert (nina.organization_id, nina.role) == ("MyOrg1MSP", Role.VIEWER)
    assert not nina.is_superuser
    assert not nina.has_usable_password()

    link = link_in(answer)
    secret = link.split("/")[-2]
    assert secret not in str(dict(browser.session)) + str(browser.cookies)
    assert secret not in browser.get(page_of(nina)).content.decode()

    hers = Client()
    form = hers.get(link)["Location"]
    password = "long-enough-by-far"
    hers.post(form, {"new_password1": password, "new_password2": password})
    assert hers.login(username="nina", password=password)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"username": "ada"}, "already exists"),
        ({"username": "not a name"}, "Enter a valid username."),
        ({"username": ""}, "This field cannot be blank."),
        ({"role": "king"}, "king is not one of the available choices."),
    ],
)
def test_users_that_are_not_invited(values, message, session_of, ada):
    answer = session_of(ada).post(NEW, {"username": "nina", "role": "member", **values})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert message in text
    assert "No user was invited." in text
    assert set(User.objects.values_list("username", flat=True)) == {*USERS_OF_CAST, "root"}


def test_an_admin_invites_to_its_own_organisation_whatever_it_sends(session_of, ada, org_b):
    values = {"username": "nina", "role": "member", "organization": org_b.pk}
    assert 'name="organization"' not in session_of(ada).get(NEW).content.decode()
    assert session_of(ada).post(NEW, values).status_code == 200
    assert User.objects.get(username="nina").organization_id == "MyOrg1MSP"


def test_a_superuser_chooses_the_organisation(session_of, root, org_b):
    browser = session_of(root)
    page = browser.get(f"{NEW}?organization={org_b.pk}").content.decode()
    assert f'<option value="{org_b.pk}" selected>' in page
    values = {"username": "nina", "role": "admin"}
    answer = browser.post(NEW, values)
    assert answer.status_code == 422
    assert "Choose the organisation that the user belongs to." in answer.content.decode()
    assert browser.post(NEW, {**values, "organization": org_b.pk}).status_code == 200
    assert User.objects.get(username="nina").organization_id == org_b.pk


@pytest.mark.parametrize("name", ["alice", "victor", "bob"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_cannot_invite(name, method, everybody, session_of):
    browser = session_of(everybody[name])
    answer = getattr(browser, method)(NEW, {"username": "nina", "role": "member"})
    assert answer.status_code == 403
    assert "Ask an admin of your organisation to invite users" in answer.content.decode()
    assert NEW not in browser.get(USERS).content.decode()
    assert not User.objects.filter(username="nina").exists()


# --- Changing ------------------------------------------------------------------------------------


def test_an_admin_changes_a_role(session_of, ada, alice):
    browser = session_of(ada)
    assert 'value="member" ' in browser.get(page_of(alice)).content.decode()
    answer = browser.post(page_of(alice), {"action": "role", "role": "viewer"}, follow=True)
    assert "alice has the role viewer now." in answer.content.decode()
    alice.refresh_from_db()
    assert (alice.role, alice.is_active) == (Role.VIEWER, True)


def test_an_admin_keeps_a_user_out_and_lets_it_in_again(session_of, ada, alice, client_of):
    browser, program = session_of(ada), client_of(alice)
    assert "and you can activate the user again" in browser.get(page_of(alice)).content.decode()
    answer = browser.post(page_of(alice), {"action": "active"}, follow=True)
    assert "alice is deactivated and can no longer sign in." in answer.content.decode()
    assert "Activate alice" in answer.content.decode()
    alice.refresh_from_db()
    assert (alice.is_active, alice.role) == (False, Role.MEMBER)
    assert program.get("/api/info/").status_code == 401
    answer = browser.post(page_of(alice), {"action": "active", "is_active": "on"}, follow=True)
    assert "alice can sign in again." in answer.content.decode()
    alice.refresh_from_db()
    assert alice.is_active
    assert program.get("/api/info/").status_code == 200


@pytest.mark.parametrize(
    "values", [{"action": "role", "role": "member"}, {"action": "active"}], ids=str
)
def test_no_one_locks_itself_out(values, session_of, ada):
    answer = session_of(ada).post(page_of(ada), values)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "You cannot demote, deactivate or delete yourself. Ask another admin." in text
    assert "Nothing was changed." in text
    ada.refresh_from_db()
    assert (ada.role, ada.is_active) == (Role.ADMIN, True)


@pytest.mark.parametrize(
    "values", [{"action": "role", "role": "member"}, {"action": "active"}], ids=str
)
def test_an_organisation_keeps_an_admin(values, session_of, ada, root):
    answer = session_of(root).post(page_of(ada), values)
    assert answer.status_code == 422
    assert "Make another user admin first" in answer.content.decode()
    ada.refresh_from_db()
    assert (ada.role, ada.is_active) == (Role.ADMIN, True)


def test_a_role_that_is_none(session_of, ada, alice):
    answer = session_of(ada).post(page_of(alice), {"action": "role", "role": "king"})
    assert answer.status_code == 422
    assert "king is not one of the available choices" in answer.content.decode()


CHANGES = [{"action": "role", "role": "admin"}, {"action": "active"}]


@pytest.mark.parametrize(
    ("name", "other", "status"),
    [
        ("alice", "alice", 403),
        ("victor", "victor", 403),
        ("alice", "victor", 404),
        ("bob", "alice", 404),
        ("ada", "bob", 404),
        ("ada", "rob", 403),
        ("ada", "root", 404),
    ],
)
def test_who_cannot_change_users(name, other, status, everybody, session_of):
    browser = session_of(everybody[name])
    user = everybody[other]
    for values in CHANGES:
        assert browser.post(page_of(user), values).status_code == status
    for method in ("get", "post"):
        answer = getattr(browser, method)(reset_of(user))
        assert answer.status_code == status
        assert "/set-password/" not in answer.content.decode()
    before = (user.role, user.is_active, user.password)
    user.refresh_from_db()
    assert (user.role, user.is_active, user.password) == before
    if status == 403:
        text = browser.get(page_of(user)).content.decode()
        assert "Save role" not in text
        assert "Deactivate" not in text


def test_a_user_that_is_not_there(session_of, ada):
    assert session_of(ada).get("/users/987654/").status_code == 404
    assert session_of(ada).get("/users/99999999999999999999999/").status_code == 404


# --- A new password ------------------------------------------------------------------------------


def test_a_link_for_a_new_password_is_shown_once(session_of, ada, alice):
    browser = session_of(ada)
    asked = browser.get(reset_of(alice)).content.decode()
    assert "The present password works until then." in asked
    assert "/set-password/" not in asked
    answer = browser.post(reset_of(alice))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert Client().get(link_in(answer)).status_code == 302
    assert "/set-password/" not in browser.get(page_of(alice)).content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
def test_who_is_deactivated_gets_no_link(method, session_of, ada, alice):
    set_active(alice, False, ada)
    answer = getattr(session_of(ada), method)(reset_of(alice))
    assert answer.status_code == 403
    assert "Activate the user first." in answer.content.decode()


# --- Organisations -------------------------------------------------------------------------------


def test_organisations_and_what_they_own(session_of, alice, bob):
    dataset = make_dataset(alice)
    make_samples(alice, dataset.key, count=2)
    make_function(bob)
    columns = "columns=id,users,datasets,data_samples,functions,compute_plans"
    answer = session_of(alice).get(f"{ORGANIZATIONS}?export=json&{columns}")
    assert json.loads(answer.getvalue()) == [
        {
            "id": "MyOrg1MSP",
            "users": 3,
            "datasets": 1,
            "data_samples": 2,
            "functions": 0,
            "compute_plans": 0,
        },
        {
            "id": "MyOrg2MSP",
            "users": 1,
            "datasets": 0,
            "data_samples": 0,
            "functions": 1,
            "compute_plans": 0,
        },
        {
            "id": "MyOrg3MSP",
            "users": 1,
            "datasets": 0,
            "data_samples": 0,
            "functions": 0,
            "compute_plans": 0,
        },
    ]


def test_finding_organisations(session_of, alice, org_b):
    text = session_of(alice).get(f"{ORGANIZATIONS}?q=second").content.decode()
    assert 'href="/organisations/MyOrg2MSP/"' in text
    assert 'href="/organisations/MyOrg1MSP/">' not in text.split('id="results"')[1]


@pytest.mark.parametrize("rows", [2, 20])
def test_queries_of_the_organisations(rows, session_of, alice, django_assert_num_queries):
    for number in range(rows):
        create_organization(f"Org{number}")
    browser = session_of(alice)
    with django_assert_num_queries(9):
        browser.get(ORGANIZATIONS)


@pytest.mark.parametrize(
    ("name", "manages"),
    [("alice", False), ("victor", False), ("bob", False), ("ada", True), ("root", True)],
)
def test_an_organisation_and_who_sees_its_users(name, manages, everybody, session_of):
    make_dataset(everybody["alice"])
    page = session_of(everybody[name]).get("/organisations/MyOrg1MSP/")
    text = page.content.decode()
    assert page.status_code == 200
    assert "First hospital" in text
    assert '<a class="tile" href="/datasets/?owner=MyOrg1MSP"><strong>1</strong>' in text
    assert '<a class="tile" href="/tasks/?owner=MyOrg1MSP"><strong>0</strong>' in text
    assert names_in(page) == (OF_A if manages else set())
    assert ("/users/new/?organization=MyOrg1MSP" in text) == manages


@pytest.mark.parametrize(("name", "shown"), [("alice", True), ("bob", False)])
def test_its_own_users_are_shown_its_admins(name, shown, everybody, session_of):
    text = session_of(everybody[name]).get("/organisations/MyOrg1MSP/").content.decode()
    assert ("manage its users: ada" in text) == shown


@pytest.mark.parametrize("pk", ["Unknown", "a%00b", "myorg1msp"])
def test_an_organisation_that_is_not_there(pk, session_of, alice):
    assert session_of(alice).get(f"/organisations/{pk}/").status_code == 404


def test_a_superuser_adds_an_organisation(session_of, root):
    browser = session_of(root)
    assert "/organisations/new/" in browser.get(ORGANIZATIONS).content.decode()
    answer = browser.post("/organisations/new/", {"id": "New1MSP", "name": "Ward"}, follow=True)
    assert answer.redirect_chain == [("/organisations/New1MSP/", 302)]
    assert "Ward (New1MSP) is part of the consortium." in answer.content.decode()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"id": "../etc"}, "beginning with a letter or a digit"),
        ({"id": "MyOrg1MSP"}, "already exists"),
        ({"id": ""}, "This field cannot be blank."),
    ],
)
def test_organisations_that_are_not_added(values, message, session_of, root, org_a):
    answer = session_of(root).post("/organisations/new/", values)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert set(Organization.objects.values_list("pk", flat=True)) == set(ORGANIZATIONS_OF_CAST)


@pytest.mark.parametrize("name", ["alice", "ada", "victor", "bob"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_who_adds_no_organisation(name, method, everybody, session_of):
    browser = session_of(everybody[name])
    answer = getattr(browser, method)("/organisations/new/", {"id": "New1MSP"})
    assert answer.status_code == 403
    assert "Ask a platform superuser to add organisations" in answer.content.decode()
    assert "/organisations/new/" not in browser.get(ORGANIZATIONS).content.decode()
    assert not Organization.objects.filter(pk="New1MSP").exists()
