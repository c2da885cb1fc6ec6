"""People that the provider knows and who are no users yet: an admin lets them in, or does not."""

import pytest
from django.test import Client

from assets.accounts.models import ExternalIdentity, Organization, Role, User

from .test_provider import walk

LIST, API = "/users/awaiting/", "/api/users-awaiting-approval/"


@pytest.fixture
def newton(db) -> ExternalIdentity:
    return ExternalIdentity.objects.create(
        issuer="https://login.example", subject="1", username="newton", email="n@clinic.example"
    )


def test_who_is_unknown_waits_and_comes_in_once_approved(ada, provider, settings, session_of):
    settings.OIDC_UNKNOWN_USERS = "approve"
    provider(preferred_username="newton", email="n@clinic.example")
    for _ in range(2):
        answer = walk(Client())
        assert answer.status_code == 403
        assert "waiting as &quot;newton&quot;" in answer.content.decode()
    [identity] = ExternalIdentity.objects.all()
    assert not User.objects.filter(username="newton").exists()
    browser = session_of(ada)
    assert "1 awaits approval" in browser.get("/users/").content.decode()
    assert "n@clinic.example" in browser.get(LIST).content.decode()
    values = {"username": "isaac", "role": "viewer", "organization": "MyOrg2MSP"}
    answer = browser.post(f"{LIST}{identity.pk}/", values)
    made = User.objects.get(username="isaac")
    assert answer["Location"] == f"/users/{made.pk}/"
    assert (made.organization_id, made.role) == (ada.organization_id, Role.VIEWER)
    assert walk(Client()).status_code == 302
    assert "awaits approval" not in browser.get("/users/").content.decode()


def test_a_superuser_says_whose_user_one_is(root, org_b, newton, session_of):
    values = {"username": "newton", "role": "admin", "organization": ""}
    assert session_of(root).post(f"{LIST}{newton.pk}/", values).status_code == 422
    values["organization"] = "MyOrg2MSP"
    assert session_of(root).post(f"{LIST}{newton.pk}/", values).status_code == 302
    assert User.objects.get(username="newton").organization == org_b


def test_a_name_that_is_taken(alice, ada, newton, session_of):
    values = {"username": "alice", "role": "member"}
    answer = session_of(ada).post(f"{LIST}{newton.pk}/", values)
    assert answer.status_code == 422
    assert "already exists" in answer.content.decode()
    newton.refresh_from_db()
    assert newton.user is None


def test_who_is_refused_leaves_the_list(ada, newton, session_of):
    browser = session_of(ada)
    question = browser.get(f"{LIST}{newton.pk}/refuse/").content.decode()
    assert "newton is removed from the list" in question
    assert browser.post(f"{LIST}{newton.pk}/refuse/").status_code == 302
    assert not ExternalIdentity.objects.exists()
    assert browser.post(f"{LIST}{newton.pk}/").status_code == 404


@pytest.mark.parametrize("name", ["alice", "victor"])
@pytest.mark.parametrize("path", ["", "{pk}/", "{pk}/refuse/"])
def test_only_admins_decide(name, path, request, newton, session_of, client_of):
    user = request.getfixturevalue(name)
    path = path.format(pk=newton.pk)
    assert session_of(user).get(f"{LIST}{path}").status_code == 403
    client = client_of(user)
    assert client.get(API).status_code == 403
    assert client.put(f"{API}newton/", {}, format="json").status_code == 403
    assert client.delete(f"{API}newton/").status_code == 403
    assert ExternalIdentity.objects.filter(user=None).exists()


def test_people_of_another_organisation_are_not_seen(ada, org_b, newton, session_of):
    ExternalIdentity.objects.update(organization=Organization.objects.get(pk="MyOrg2MSP"))
    browser = session_of(ada)
    assert "newton" not in browser.get(LIST).content.decode()
    assert browser.post(f"{LIST}{newton.pk}/", {"username": "x"}).status_code == 404


def test_the_api_lists_approves_and_refuses(ada, newton, client_of):
    client = client_of(ada)
    ExternalIdentity.objects.create(issuer="https://login.example", subject="2", username="hooke")
    listed = client.get(API).json()
    assert listed["results"] == [
        {"username": "hooke", "email": ""},
        {"username": "newton", "email": "n@clinic.example"},
    ]
    approved = client.put(f"{API}newton/", {"role": "VIEWER"}, format="json")
    assert (approved.status_code, approved.json()) == (
        200,
        {
            "username": "newton",
            "channel": "mychannel",
            "role": "VIEWER",
            "is_external_user": True,
        },
    )
    assert client.get("/api/users/newton/").json() == approved.json()
    assert client.delete(f"{API}hooke/").status_code == 204
    assert client.get(API).json()["results"] == []
    assert client.put(f"{API}hooke/", {}, format="json").status_code == 404
    assert client.get("/api/users/ada/").json()["is_external_user"] is False


def test_the_api_takes_the_name_from_the_query_too(ada, newton, client_of):
    client = client_of(ada)
    ExternalIdentity.objects.create(issuer="https://login.example", subject="2", username="hooke")
    listed = client.get(f"{API}?username=hooke").json()
    assert [one["username"] for one in listed["results"]] == ["hooke"]
    for method in (client.put, client.delete):
        assert (method(API).status_code, method(API).json().keys()) == (400, {"username"})
        assert method(f"{API}?username=boyle").status_code == 404
    approved = client.put(f"{API}?username=newton", {"role": "ADMIN"}, format="json")
    assert (approved.status_code, approved.json()["role"]) == (200, "ADMIN")
    assert client.delete(f"{API}?username=hooke").status_code == 204
    assert client.get(API).json()["results"] == []


def test_of_two_people_with_one_name_the_api_lets_in_neither(ada, newton, client_of):
    ExternalIdentity.objects.create(issuer="https://login.example", subject="2", username="newton")
    for url in (f"{API}newton/", f"{API}?username=newton"):
        assert client_of(ada).put(url, {}, format="json").status_code == 400
    assert ExternalIdentity.objects.filter(user=None).count() == 2


@pytest.mark.parametrize(
    ("body", "field"), [({"role": "KING"}, "role"), ({"role": None}, "role"), ([], None)]
)
def test_what_the_api_does_not_take(body, field, ada, newton, client_of):
    answer = client_of(ada).put(f"{API}newton/", body, format="json")
    assert answer.status_code == 400
    assert field is None or list(answer.json()) == [field]


@pytest.mark.parametrize("total", [1, 20])
def test_many_cost_as_many_statements_as_few(
    total, ada, session_of, client_of, django_assert_max_num_queries
):
    for n in range(total):
        ExternalIdentity.objects.create(
            issuer="i", subject=str(n), username=f"u{n}", organization=ada.organization
        )
    browser, client = session_of(ada), client_of(ada)
    with django_assert_max_num_queries(4):
        browser.get(LIST)
    with django_assert_max_num_queries(3):
        client.get(API)
