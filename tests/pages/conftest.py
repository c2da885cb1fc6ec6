"""The pages' door, and the world of the rules' cases."""

import pytest

from tests.rules.world import World

from .door import PagesDoor


@pytest.fixture
def pages(session_of) -> PagesDoor:
    return PagesDoor(session_of)


@pytest.fixture
def world(alice, ada, victor, bob, carol, root) -> World:
    users = (alice, ada, victor, bob, carol, root)
    return World({user.username: user for user in users})
