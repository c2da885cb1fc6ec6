"""Organisations and `/info/`. Contract 2.1, 2.2."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command

from assets.accounts.models import Organization
from assets.accounts.registration.organizations import create_organization


def test_organisations_are_a_bare_list_in_the_order_of_ids(client_of, alice, bob, carol):
    answer = client_of(bob).get("/api/organization/")

    assert answer.status_code == 200
    rows = answer.json()
    assert [row["id"] for row in rows] == ["MyOrg1MSP", "MyOrg2MSP", "MyOrg3MSP"]
    assert [row["is_current"] for row in rows] == [False, True, False]
    assert rows[0]["address"] == "http://testserver"
    assert rows[0]["creation_date"].endswith("Z")


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_organisations_are_read_only(client_of, alice, method):
    assert getattr(client_of(alice), method)("/api/organization/").status_code == 405


def test_info_for_a_user(client_of, alice, settings):
    settings.CHANNEL = "oncology"

    assert client_of(alice).get("/api/info/").json() == {
        "host": "http://testserver",
        "organization_id": "MyOrg1MSP",
        "organization_name": "First hospital",
        "config": {"model_export_enabled": True},
        "auth": {},
        "channel": "oncology",
        "version": "1.0.1",
        "orchestrator_version": "1.0.0",
        "user": "alice",
        "user_role": "USER",
    }


def test_info_for_anyone(anonymous, alice):
    assert anonymous.get("/api/info/").json() == {
        "host": "http://testserver",
        "organization_id": "",
        "organization_name": "",
        "config": {},
        "auth": {},
    }


@pytest.mark.parametrize("prefix", ["/api", "/api/sdk-0.49", "/api/sdk-0.50"])
def test_every_dialect_has_them(client_of, alice, prefix):
    client = client_of(alice)

    for path in ("organization", "info", "active-api-tokens", "users"):
        assert client.get(f"{prefix}/{path}/").status_code == 200


@pytest.mark.parametrize("total", [3, 30])
def test_many_organisations_cost_as_many_statements_as_few(
    client_of, alice, django_assert_num_queries, total
):
    for number in range(3, total):
        create_organization(f"Clinic{number}")
    client = client_of(alice)

    with django_assert_num_queries(2):  # the token with its user; the organisations
        assert len(client.get("/api/organization/").json()) == total


def test_an_id_that_was_taken_a_moment_ago(org_a, monkeypatch):
    look, looked = Organization.validate_unique, []

    def see_nothing_at_first(organization, *args, **kwargs):
        if looked:
            look(organization, *args, **kwargs)
        looked.append(organization)

    monkeypatch.setattr(Organization, "validate_unique", see_nothing_at_first)
    with pytest.raises(ValidationError, match="already exists"):
        create_organization(org_a.id)


def test_the_documentation_of_this_room_is_complete(tmp_path):
    """No warning: every body, answer and way of signing in is described."""
    call_command(
        "spectacular",
        urlconf="assets.accounts.urls",
        validate=True,
        fail_on_warn=True,
        file=str(tmp_path / "schema.yml"),
    )
