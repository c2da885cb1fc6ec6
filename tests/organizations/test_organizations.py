"""Organisations and `/info/`. Contract 2.1, 2.2."""

import pytest


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
