"""A registry with something of every kind in it, and clients of it."""

from collections.abc import Callable

import pytest
from rest_framework.pagination import BasePagination
from rest_framework.test import APIClient

from assets.common.api.pagination import PagePagination
from tests.rules.world import World, world_of_cast

from .pairs import two

__all__ = ["two"]


@pytest.fixture
def world(db) -> World:
    return world_of_cast()


@pytest.fixture
def api(world, client_of) -> APIClient:
    """Alice's client."""
    return client_of(world.alice)


@pytest.fixture
def bobs_api(world, client_of) -> APIClient:
    return client_of(world.bob)


@pytest.fixture
def page_sizes(monkeypatch) -> list[int]:
    """The size of every page that is answered during the test."""
    sizes: list[int] = []
    paginate: Callable = PagePagination.paginate_queryset

    def remember(self: BasePagination, queryset, request, view=None):
        rows = paginate(self, queryset, request, view)
        sizes.append(self.size)
        return rows

    monkeypatch.setattr(PagePagination, "paginate_queryset", remember)
    return sizes
