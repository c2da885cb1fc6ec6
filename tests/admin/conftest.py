"""The admin's interface, and the world of the rules' cases."""

import pytest

from tests.rules.world import World, world_of_cast

from .interface import AdminInterface


@pytest.fixture
def admin(session_of) -> AdminInterface:
    return AdminInterface(session_of)


@pytest.fixture
def world(db) -> World:
    return world_of_cast()
