"""Every case of this folder meets every door."""

import pytest

from .doors import DOORS
from .world import World


@pytest.fixture(params=DOORS)
def door(request, client_of):
    return DOORS[request.param](client_of)


@pytest.fixture
def world(alice, ada, victor, bob, carol, root):
    users = (alice, ada, victor, bob, carol, root)
    return World({user.username: user for user in users})
