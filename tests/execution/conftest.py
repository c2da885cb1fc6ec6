"""Runners of two organisations."""

import pytest

from tests.cast import A, B

from .runners import StandIn


@pytest.fixture
def ward(db) -> StandIn:
    return StandIn(A)


@pytest.fixture
def other(db) -> StandIn:
    return StandIn(B)
