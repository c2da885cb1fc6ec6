"""Every case of this folder meets every door."""

import pytest

from .doors import DOORS
from .world import World, world_of_cast


@pytest.fixture(params=DOORS)
def door(request, client_of):
    return DOORS[request.param](client_of)


@pytest.fixture
def world(db) -> World:
    return world_of_cast()
