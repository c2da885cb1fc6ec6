"""A clock that tests can turn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def freezer(monkeypatch) -> Callable[[timedelta], None]:
    """Return what sets Django's clock to now plus an offset."""

    def shift(offset: timedelta) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: datetime.now(tz=UTC) + offset)

    return shift
