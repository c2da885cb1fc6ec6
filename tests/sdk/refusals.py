"""What a test expects when the SDK must raise."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from .peers import Failed

# The SDK's exception for each status that the contract gives.
STATUSES = {
    "InvalidRequest": 400,
    "BadLoginException": 400,
    "AuthenticationError": 401,
    "AuthorizationError": 403,
    "NotFound": 404,
    "AlreadyExists": 409,
}


@contextmanager
def refused(kind: str, *phrases: str, key: str | None = None) -> Iterator[None]:
    """Expect the SDK to raise its exception `kind`, whose text contains every phrase."""
    with pytest.raises(Failed) as caught:
        yield
    error = caught.value
    assert error.kind == kind, error
    assert error.status == STATUSES.get(kind, error.status)
    assert [phrase for phrase in phrases if phrase not in error.message] == [], error.message
    assert key is None or error.key == key


def unknown_key() -> str:
    return str(uuid4())
