"""The admin's door, and the world of the rules' cases."""

import pytest

from tests.rules.world import World, world_of_cast

from .door import AdminDoor


@pytest.fixture
def admin(session_of) -> AdminDoor:
    return AdminDoor(session_of)


@pytest.fixture
def world(db) -> World:
    return world_of_cast()
