"""Who a user of another organisation is, no list shows: not by a filter, an order or the admin."""

import pytest

from assets.accounts.registration.users import delete_user
from tests import builders
from tests.admin.interface import admin_url

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def plans(alice, ada, bob):
    """Plans by the names of those who made them."""
    return {user.username: builders.make_plan(user) for user in (alice, ada, bob)}


def found(client, query) -> list[str]:
    answer = client.get(f"/api/compute_plan/?{query}")
    assert answer.status_code == 200
    return [plan["key"] for plan in answer.json()["results"]]


@pytest.mark.parametrize(
    ("who", "creator", "made_by"),
    [
        ("alice", "alice", {"alice"}),
        ("alice", "alice,ada", {"alice", "ada"}),
        ("alice", "bob", set()),
        ("alice", "external", {"bob"}),
        ("alice", "deleted", set()),
        ("bob", "alice", set()),
        ("bob", "external", {"alice", "ada"}),
        ("bob", "bob,external", {"alice", "ada", "bob"}),
    ],
)
def test_plans_are_found_by_the_creator_that_is_shown(
    who, creator, made_by, plans, request, client_of
):
    client = client_of(request.getfixturevalue(who))
    assert set(found(client, f"creator={creator}")) == {str(plans[name].key) for name in made_by}


def test_a_creator_who_is_no_more_is_found_by_its_own(plans, alice, ada, bob, client_of):
    delete_user(alice, ada)
    key = str(plans["alice"].key)
    assert found(client_of(ada), "creator=deleted") == [key]
    assert found(client_of(bob), "creator=deleted") == []


def test_an_order_by_the_creator_shows_no_name(alice, ada, bob, client_of):
    """Neither by the order, in which all others are alike, nor by the cursor of the next page."""
    order = [alice, ada, alice, ada]
    keys = [str(builders.make_plan(user).key) for user in order]
    creators = [plan["creator"] for plan in _page(client_of(alice), "ordering=creator")["results"]]
    assert creators == sorted(creators)
    client = client_of(bob)
    # Alike, they are in the order in which they were registered.
    assert found(client, "ordering=creator") == keys
    assert found(client, "ordering=-creator") == keys[::-1]
    page = _page(client, "ordering=creator&page_size=2")
    assert "cursor" not in page["next"]


def _page(client, query):
    return client.get(f"/api/compute_plan/?{query}").json()


@pytest.mark.parametrize(
    ("who", "creator"), [("ada", "alice"), ("bob", "external"), ("root", "external")]
)
def test_the_admin_shows_no_more(who, creator, plans, request, session_of):
    browser = session_of(request.getfixturevalue(who))
    page = browser.get(admin_url("computeplan", "change", plans["alice"].key)).content.decode()
    assert f'<div class="readonly">{creator}</div>' in page
    assert ("alice" in page) == (creator == "alice")
