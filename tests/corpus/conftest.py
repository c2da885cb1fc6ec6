"""The interfaces, as alice meets them."""

import pytest

from .interfaces import Interfaces


@pytest.fixture
def interfaces(alice, client_of, session_of) -> Interfaces:
    return Interfaces(alice, client_of, session_of)
