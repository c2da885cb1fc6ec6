"""Signing in and out, and who takes part."""

import re
from pathlib import Path

import pytest

from .refusals import refused
from .sdk import Client, Sdk
from .serve import ORGANIZATIONS, PASSWORD

pytestmark = pytest.mark.sdk

HEX = re.compile(r"[0-9a-f]{40}")


def signed_in(sdk: Sdk) -> Client:
    return sdk.connect(username="alice", password=PASSWORD)


def assert_token_has_ended(sdk: Sdk, token: str) -> None:
    with refused("AuthenticationError", "Invalid token."):
        sdk.connect(token=token).organization_info()


class TestLogin:
    def test_when_the_client_is_made_and_later(self, sdk):
        """Each login gives a token of its own, which leaves the others alone."""
        client = signed_in(sdk)
        first = sdk.connect(token=client.token)
        second = client.login("alice", PASSWORD)
        assert HEX.fullmatch(first.token)
        assert HEX.fullmatch(second)
        assert first.token != second
        for signed in (first, client):
            assert signed.organization_info()["organization_id"] == "MyOrg1MSP"
        client.logout()
        assert_token_has_ended(sdk, second)
        assert first.organization_info()["organization_id"] == "MyOrg1MSP"

    @pytest.mark.parametrize(
        ("user", "password"),
        [("alice", "wrong"), ("unknown", PASSWORD), ("alice", "")],
        ids=["wrong password", "unknown user", "no password"],
    )
    def test_refused(self, sdk, user, password):
        with refused("BadLoginException", "400 Client Error"):
            sdk.connect(username=user, password=password)


class TestLogout:
    def test_ends_the_token(self, sdk):
        client = signed_in(sdk)
        client.logout()
        assert_token_has_ended(sdk, client.token)
        with refused("AuthenticationError"):
            client.organization_info()

    def test_at_the_end_of_a_with_block(self, sdk):
        settings = {"url": sdk.url, "username": "alice", "password": PASSWORD}
        token, organization = sdk.driver.ask("in_with_block", **settings)
        assert organization == "MyOrg1MSP"
        assert_token_has_ended(sdk, token)

    def test_when_the_client_is_forgotten(self, sdk):
        client = signed_in(sdk)
        client.forget()
        assert_token_has_ended(sdk, client.token)

    def test_leaves_a_token_that_was_given(self, sdk, alice):
        client = sdk.connect(token=alice.token)
        client.logout()
        client.forget()
        assert alice.organization_info()["organization_id"] == "MyOrg1MSP"


class TestWithoutToken:
    @pytest.mark.parametrize("given", [{}, {"token": "0" * 40}], ids=["none", "unknown"])
    def test_refused(self, sdk, given):
        with refused("AuthenticationError", "Invalid token."):
            sdk.connect(**given).list_dataset()

    def test_refused_when_registering(self, sdk, specs):
        with refused("AuthenticationError"):
            sdk.connect().add_dataset(specs.dataset())


@pytest.mark.parametrize(
    ("user", "organization"),
    [("alice", "MyOrg1MSP"), ("victor", "MyOrg1MSP"), ("bob", "MyOrg2MSP")],
)
def test_organization_info(sdk, user, organization):
    info = sdk.client(user).organization_info()
    assert info["host"].rstrip("/") == sdk.server.url
    assert info["organization_id"] == organization
    assert info["organization_name"] == ORGANIZATIONS[organization]
    assert info["config"]["model_export_enabled"] is True
    assert info["channel"] == "mychannel"
    assert (info["version"], info["orchestrator_version"]) == ("1.0.1", "1.0.0")


@pytest.mark.parametrize(("user", "current"), [("alice", "MyOrg1MSP"), ("bob", "MyOrg2MSP")])
def test_list_organization(sdk, user, current):
    found = sdk.client(user).list_organization()
    assert [(item["id"], item["is_current"]) for item in found] == [
        (organization, organization == current) for organization in ORGANIZATIONS
    ]
    assert all(item["creation_date"].endswith("Z") for item in found)


def test_every_method_of_the_sdk_is_tried(sdk):
    here = Path(__file__).parent
    tests = "\n".join(path.read_text() for path in here.glob("test_*.py"))
    untried = [name for name in sdk.driver.ask("methods") if f".{name}(" not in tests]
    assert untried == []
