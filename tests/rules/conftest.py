"""Every case of this folder meets every interface."""

import pytest

from .interfaces import INTERFACES
from .world import World, world_of_cast


@pytest.fixture(params=INTERFACES)
def interface(request, client_of):
    return INTERFACES[request.param](client_of)


@pytest.fixture
def world(db) -> World:
    return world_of_cast()
