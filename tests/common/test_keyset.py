"""Positions that no row has are none; those that one may have can be searched from."""

import pytest

from assets.common.db.keyset import Keyset
from assets.compute.models import Task

pytestmark = pytest.mark.postgresql

KEY = "00000000-0000-4000-8000-000000000001"
DATE = "2026-01-02T03:04:05.678901Z"
NUMBERS = ("rank", "creation_date", "pk")
TEXTS = ("tag", "creation_date", "pk")
NULLS = ("start_date", "creation_date", "pk")

NO_POSITIONS = {
    "too few": (NUMBERS, [1, DATE]),
    "too many": (NUMBERS, [1, DATE, KEY, KEY]),
    "a number for a date": (NUMBERS, [1, 1, KEY]),
    "no date": (NUMBERS, [1, "yesterday", KEY]),
    "a date before the first, in UTC": (NUMBERS, [1, "0001-01-01T00:00:00+14:00", KEY]),
    "a number for a key": (NUMBERS, [1, DATE, -1]),
    "no key": (NUMBERS, [1, DATE, "x"]),
    "a list": (NUMBERS, [[1], DATE, KEY]),
    "an object": (NUMBERS, [1, DATE, {}]),
    "a text for a number": (NUMBERS, ["x", DATE, KEY]),
    "a number too large": (NUMBERS, [1e30, DATE, KEY]),
    "null for a number": (NUMBERS, [None, DATE, KEY]),
    "null for a key": (NUMBERS, [1, DATE, None]),
    "NUL": (TEXTS, ["\0", DATE, KEY]),
    "a number for a date that may be null": (NULLS, [1, DATE, KEY]),
}


@pytest.mark.parametrize(("order", "values"), NO_POSITIONS.values(), ids=NO_POSITIONS)
def test_no_position(order, values):
    assert Keyset.of(Task.objects.order_by(*order)).read(values) is None


POSITIONS = {
    "a number": (NUMBERS, [1, DATE, KEY]),
    "the largest number": (NUMBERS, [2**63 - 1, DATE, KEY]),
    "a text": (TEXTS, ["", DATE, KEY]),
    "null": (NULLS, [None, DATE, KEY]),
    "a date": (NULLS, [DATE, DATE, KEY]),
}


@pytest.mark.django_db
@pytest.mark.parametrize(("order", "values"), POSITIONS.values(), ids=POSITIONS)
def test_position(order, values):
    keyset = Keyset.of(Task.objects.order_by(*order))
    position = keyset.read(values)
    assert keyset.following(position, 2) == keyset.preceding(position, 2) == []
