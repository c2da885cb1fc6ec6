"""An organisation's admins manage its users, and nobody else's. Contract 1.3."""

import pytest

from assets.organizations.models import Role, User
from tests.conftest import PASSWORD

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
    [("match=vic", ["victor"]), ("role=ADMIN", ["ada"]), ("ordering=-username", ["victor", "ada"])],
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
def test_nobody_locks_itself_out(client_of, ada, method, body):
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
    assert Event.objects.get().actor_name == "alice"


def test_changing_ones_own_password(client_of, alice, ada):
    client = client_of(alice)

    assert client.put(f"{USERS}alice/password/", {"password": "a-new-long-one"}).status_code == 200
    alice.refresh_from_db()
    assert alice.check_password("a-new-long-one")
    missing = client.put(f"{USERS}alice/password/", {})
    assert "missing password in the request" in str(missing.json())
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
    assert anonymous.get(f"{USERS}nobody/verify_token/?token={token}").status_code == 401
    weak = anonymous.post(f"{USERS}alice/set_password/", {**body, "password": "1"})
    assert weak.status_code == 400
    assert anonymous.post(f"{USERS}alice/set_password/", body).status_code == 200
    assert anonymous.post(f"{USERS}alice/set_password/", body).status_code == 401
    alice.refresh_from_db()
    assert alice.check_password("a-new-long-one")
