"""A provider of OpenID Connect that runs beside the tests, clocks, and telephones with codes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django_otp.oath import TOTP

from tests.files.conftest import shared_database  # noqa: F401  a fixture

from .idp import CLIENT_ID, CLIENT_SECRET


@pytest.fixture(scope="session")
def provider_url() -> Iterator[str]:
    command = [sys.executable, str(Path(__file__).with_name("idp.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


@pytest.fixture
def provider(provider_url, settings) -> Callable[..., None]:
    """Turn sign-in by the provider on; return what sets who it knows and what it does wrong."""
    settings.OIDC_ISSUER = provider_url
    settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
    settings.OIDC_NAME = "Clinic login"

    def knows(*, fault: str = "", userinfo: dict[str, Any] | None = None, **claims: Any) -> None:
        then = {
            "claims": {"sub": "1234", **claims},
            "fault": fault,
            "userinfo": userinfo or {},
        }
        requests.put(f"{provider_url}/next", json=then, timeout=10)

    knows()
    return knows


class Clock:
    """The time of telephones and of the server, which tests turn on by steps of half a minute."""

    def __init__(self) -> None:
        self.offset = timedelta()

    def now(self) -> datetime:
        return datetime.now(tz=UTC) + self.offset

    def step(self, seconds: float = 30) -> None:
        self.offset += timedelta(seconds=seconds)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock, real = Clock(), time.time
    monkeypatch.setattr("django.utils.timezone.now", clock.now)
    monkeypatch.setattr("time.time", lambda: real() + clock.offset.total_seconds())
    return clock


@pytest.fixture
def freezer(monkeypatch) -> Callable[[timedelta], None]:
    """Return what sets Django's clock to now plus an offset."""

    def shift(offset: timedelta) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: datetime.now(tz=UTC) + offset)

    return shift


@pytest.fixture
def code_of(clock) -> Callable[[str], str]:
    """Return what a telephone with this secret (hexadecimal) shows now."""

    def show(key: str) -> str:
        totp = TOTP(bytes.fromhex(key))
        totp.time = clock.now().timestamp()
        return f"{totp.token():06}"

    return show
