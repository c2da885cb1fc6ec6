"""The pages' interface, and the world of the rules' cases."""

import pytest

from tests.rules.world import World, world_of_cast

from .interface import PagesInterface


@pytest.fixture
def pages(session_of) -> PagesInterface:
    return PagesInterface(session_of)


@pytest.fixture
def world(db) -> World:
    return world_of_cast()
