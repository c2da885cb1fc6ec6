"""The pages' door, and the world of the rules' cases."""

import pytest

from tests.rules.world import World, world_of_cast

from .door import PagesDoor


@pytest.fixture
def pages(session_of) -> PagesDoor:
    return PagesDoor(session_of)


@pytest.fixture
def world(db) -> World:
    return world_of_cast()
