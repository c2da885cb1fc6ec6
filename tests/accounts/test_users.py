"""An organisation's admins manage its users, and no one else's. Contract 1.3."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from assets.accounts.models import Role, User
from assets.accounts.registration.users import create_user
from tests.cast import PASSWORD

USERS = "/api/users/"
NEW = {"username": "nina", "password": PASSWORD, "role": "VIEWER"}


def test_users_of_ones_own_organisation(client_of, alice, ada, victor, bob):
    client = client_of(alice)
    listed = client.get(f"{USERS}?ordering=username").json()

    assert listed["results"] == [
        {"username": "ada", "channel": "mychannel", "role": "ADMIN", "is_external_user": False},
        {"username": "alice", "channel": "mychannel", "role": "USER", "is_external_user": False},
        {"username": "victor", "channel": "mychannel", "role": "VIEWER", "is_external_user": False},
    ]
    assert client.get(f"{USERS}victor/").json() == listed["results"][2]
    assert client.get(f"{USERS}bob/").status_code == 404


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("match=vic", ["victor"]),
        ("role=ADMIN", ["ada"]),
        ("ordering=-username", ["victor", "alice", "ada"]),
    ],
)
def test_finding_users(client_of, ada, victor, query, names):
    results = client_of(ada).get(f"{USERS}?{query}").json()["results"]

    assert [row["username"] for row in results] == names


def test_an_admin_adds_a_user_to_its_own_organisation(client_of, ada, anonymous):
    answer = client_of(ada).post(USERS, NEW, format="json")

    assert answer.status_code == 201
    assert answer.json()["role"] == "VIEWER"
    user = User.objects.get(username="nina")
    assert (user.organization_id, user.role) == ("MyOrg1MSP", Role.VIEWER)
    assert not user.is_superuser
    assert user.check_password(PASSWORD)


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({"username": "ada"}, "Username already exists"),
        ({"username": "not a name"}, "valid username"),
        ({"password": "12345678901"}, "entirely numeric"),
        ({"password": "nina"}, "too similar"),
        ({"role": "KING"}, "not a valid choice"),
    ],
)
def test_users_that_are_not_added(client_of, ada, change, phrase):
    answer = client_of(ada).post(USERS, {**NEW, **change}, format="json")

    assert answer.status_code == 400
    assert phrase in str(answer.json())
    assert not User.objects.filter(username="nina").exists()


@pytest.mark.parametrize("who", ["alice", "victor"])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "", NEW),
        ("put", "ada/", {"role": "USER"}),
        ("delete", "ada/", {}),
        ("post", "ada/reset_password/", {}),
    ],
)
def test_only_admins_manage_users(client_of, request, ada, who, method, path, body):
    client = client_of(request.getfixturevalue(who))
    answer = getattr(client, method)(f"{USERS}{path}", body, format="json")

    assert answer.status_code == 403
    assert "Only an admin" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("put", "bob/", {"role": "USER"}),
        ("delete", "bob/", {}),
        ("post", "bob/reset_password/", {}),
        ("put", "bob/password/", {"password": PASSWORD}),
    ],
)
def test_another_organisations_user_is_unknown(client_of, ada, bob, method, path, body):
    answer = getattr(client_of(ada), method)(f"{USERS}{path}", body, format="json")

    assert answer.status_code == 404


def test_an_admin_changes_a_role(client_of, ada, alice):
    answer = client_of(ada).put(f"{USERS}alice/", {"role": "ADMIN"}, format="json")

    alice.refresh_from_db()
    assert answer.json()["role"] == "ADMIN"
    assert alice.role == Role.ADMIN


@pytest.mark.parametrize(("method", "body"), [("put", {"role": "USER"}), ("delete", {})])
def test_no_one_locks_itself_out(client_of, ada, method, body):
    answer = getattr(client_of(ada), method)(f"{USERS}ada/", body, format="json")

    assert answer.status_code == 400
    assert "yourself" in str(answer.json())
    assert User.objects.filter(username="ada", role=Role.ADMIN).exists()


def test_deleting_a_user_keeps_what_it_registered(client_of, ada, alice):
    from assets.models import ComputePlan, Event
    from tests.builders import make_plan

    plan = make_plan(alice)
    client = client_of(ada)
    answer = client.delete(f"{USERS}alice/")

    assert answer.status_code == 204
    assert ComputePlan.objects.get().creator is None
    assert client.get(f"/api/compute_plan/{plan.key}/").json()["creator"] == "deleted"
    assert Event.objects.get(public=True).actor_name == "alice"


def test_changing_ones_own_password(client_of, alice, ada):
    client = client_of(alice)

    assert client.put(f"{USERS}alice/password/", {"password": "a-new-long-one"}).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password("a-new-long-one")
    for body in ({}, {"password": ""}, {"password": None}):
        missing = client.put(f"{USERS}alice/password/", body, format="json")
        assert missing.status_code == 400
        assert missing.json() == {"detail": "missing password in the request"}
    weak = client.put(f"{USERS}alice/password/", {"password": "12345"})
    assert weak.status_code == 400
    assert client.put(f"{USERS}ada/password/", {"password": "a-new-long-one"}).status_code == 403


def test_a_reset_token_sets_a_password_once(client_of, anonymous, ada, alice):
    answer = client_of(ada).post(f"{USERS}alice/reset_password/")
    token = answer.json()["reset_password_token"]
    verify = f"{USERS}alice/verify_token/?token={token}"
    body = {"token": token, "password": "a-new-long-one"}

    assert (anonymous.get(verify).status_code, anonymous.get(verify).json()) == (200, {})
    assert anonymous.get(f"{USERS}ada/verify_token/?token={token}").status_code == 401
    assert anonymous.get(f"{USERS}unknown/verify_token/?token={token}").status_code == 401
    weak = anonymous.post(f"{USERS}alice/set_password/", {**body, "password": "1"})
    assert weak.status_code == 400
    assert anonymous.post(f"{USERS}alice/set_password/", body).status_code == 200
    assert anonymous.post(f"{USERS}alice/set_password/", body).status_code == 401
    alice.refresh_from_db()
    assert alice.check_password("a-new-long-one")


@pytest.fixture
def rhea(org_a):
    """A platform superuser who also belongs to A."""
    return create_user("rhea", organization=org_a, password=PASSWORD, is_superuser=True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("post", "rhea/reset_password/", {}),
        ("put", "rhea/", {"role": "VIEWER"}),
        ("delete", "rhea/", {}),
    ],
)
def test_an_admin_does_not_manage_a_superuser(client_of, ada, rhea, method, path, body):
    """Whoever could set a superuser's password would become one."""
    answer = getattr(client_of(ada), method)(f"{USERS}{path}", body, format="json")

    assert answer.status_code == 403
    assert User.objects.get(username="rhea").role == Role.MEMBER


def test_a_superuser_manages_its_organisation_but_leaves_it_an_admin(client_of, ada, alice, rhea):
    client = client_of(rhea)

    assert client.put(f"{USERS}alice/", {"role": "VIEWER"}, format="json").status_code == 200
    for refused in (client.delete(f"{USERS}ada/"), client.put(f"{USERS}ada/", {"role": "USER"})):
        assert refused.status_code == 400
        assert "last active admin" in str(refused.json())
    create_user("bea", organization=ada.organization, role=Role.ADMIN)
    assert client.delete(f"{USERS}ada/").status_code == 204


def test_an_inactive_admin_does_not_count(client_of, ada, rhea):
    bea = create_user("bea", organization=ada.organization, role=Role.ADMIN)
    bea.is_active = False
    bea.save()

    assert client_of(rhea).delete(f"{USERS}ada/").status_code == 400
    assert client_of(rhea).delete(f"{USERS}bea/").status_code == 204


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "", 404),
        ("put", "", 404),
        ("delete", "", 404),
        ("put", "password/", 404),
        ("post", "reset_password/", 404),
        ("get", "verify_token/?token=x", 401),
        ("post", "set_password/", 401),
    ],
)
def test_a_name_that_a_database_cannot_be_asked_for(client_of, ada, method, path, status):
    body = {} if method == "get" else {"role": "USER", "token": "x", "password": PASSWORD}
    answer = getattr(client_of(ada), method)(f"{USERS}a%00b/{path}", body)

    assert answer.status_code == status


def test_a_name_that_was_taken_a_moment_ago(client_of, ada, monkeypatch):
    """Two requests saw that the name is free; the second is shown what a later one would be."""
    look, looked = User.validate_unique, []

    def see_nothing_at_first(user, *args, **kwargs):
        if looked:
            look(user, *args, **kwargs)
        looked.append(user)

    client = client_of(ada)
    monkeypatch.setattr(User, "validate_unique", see_nothing_at_first)
    answer = client.post(USERS, {**NEW, "username": "ada"}, format="json")

    assert (answer.status_code, answer.json()) == (400, {"detail": "Username already exists"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", ""),
        ("post", ""),
        ("get", "ada/"),
        ("put", "ada/"),
        ("delete", "ada/"),
        ("put", "ada/password/"),
        ("post", "ada/reset_password/"),
    ],
)
def test_no_one_in_particular_sees_and_manages_no_users(anonymous, ada, method, path):
    answer = getattr(anonymous, method)(f"{USERS}{path}")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", ""),
        ("patch", "alice/"),
        ("post", "alice/"),
        ("post", "alice/password/"),
        ("get", "alice/reset_password/"),
        ("post", "alice/verify_token/"),
        ("get", "alice/set_password/"),
    ],
)
def test_methods_that_there_are_not(client_of, ada, alice, method, path):
    assert getattr(client_of(ada), method)(f"{USERS}{path}").status_code == 405


@pytest.mark.parametrize("body", [[], "password", 5, None])
@pytest.mark.parametrize(
    ("method", "path"), [("post", ""), ("put", "ada/"), ("put", "ada/password/")]
)
def test_a_body_that_is_no_object(client_of, ada, body, method, path):
    answer = getattr(client_of(ada), method)(f"{USERS}{path}", body, format="json")

    assert answer.status_code == 400


@pytest.mark.parametrize(("days", "status"), [(6.9, 200), (7.1, 401)])
def test_a_reset_token_lasts_for_seven_days(
    client_of, anonymous, ada, alice, monkeypatch, days, status
):
    token = client_of(ada).post(f"{USERS}alice/reset_password/").json()["reset_password_token"]
    later = datetime.now() + timedelta(days=days)
    monkeypatch.setattr(PasswordResetTokenGenerator, "_now", lambda generator: later)

    assert anonymous.get(f"{USERS}alice/verify_token/?token={token}").status_code == status


def test_a_reset_token_of_a_user_who_was_kept_out(client_of, anonymous, ada, alice):
    token = client_of(ada).post(f"{USERS}alice/reset_password/").json()["reset_password_token"]
    alice.is_active = False
    alice.save()

    assert anonymous.get(f"{USERS}alice/verify_token/?token={token}").status_code == 401


@pytest.mark.parametrize("total", [3, 30])
def test_many_users_cost_as_many_statements_as_few(
    client_of, ada, django_assert_num_queries, total
):
    for number in range(3, total):
        create_user(f"user-{number}", organization=ada.organization)
    client = client_of(ada)

    with django_assert_num_queries(2):  # the token with its user; the users, who are all there are
        assert client.get(USERS).json()["count"] == total
