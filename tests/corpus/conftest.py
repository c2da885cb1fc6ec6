"""The doors, as alice meets them."""

import pytest

from .doors import Doors


@pytest.fixture
def doors(alice, client_of, session_of) -> Doors:
    return Doors(alice, client_of, session_of)
