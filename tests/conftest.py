"""The cast of every test: three organisations, their users, and the doors by which users come.

alice, ada and victor act for A (member, admin, viewer), bob for B, carol for C; root is a platform
superuser who belongs to no organisation.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.files.base import File
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from assets.accounts.models import Organization, Role, User
from assets.accounts.registration.organizations import create_organization
from assets.accounts.registration.tokens import create_token
from assets.accounts.registration.users import create_user
from assets.common.files.storage import open_stored
from assets.immutable import remove_triggers

PASSWORD = "correct-horse-battery"
SDK_ACCEPT = "application/json;version=0.0"


@pytest.fixture(autouse=True, scope="session")
def _tables_can_be_emptied() -> Iterator[None]:
    """Let Django empty all tables after a test with transactions of its own.

    The signal that follows makes the triggers again.
    """
    flush = BaseDatabaseOperations.execute_sql_flush

    def unguarded(operations: BaseDatabaseOperations, sql_list: list[str]) -> None:
        remove_triggers(plan=["the next test"])
        flush(operations, sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", unguarded)
        yield


@pytest.fixture(autouse=True)
def _fast_and_apart(settings, tmp_path) -> Iterator[None]:
    """Hash passwords fast, keep files in a folder of the test, and nothing in the cache."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGE_ROOT = tmp_path / "files"
    settings.SERVERMEDIAS_ROOT = tmp_path / "servermedias"
    default = settings.STORAGES["default"]
    settings.STORAGES = {
        "default": {
            **default,
            "OPTIONS": {**default["OPTIONS"], "location": settings.STORAGE_ROOT},
        },
        # Nothing is collected in tests, so no file has a hashed name.
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _like_a_server(monkeypatch) -> Iterator[None]:
    """Close the files of downloads whose bytes a test did not read; a server does it at the end."""
    opened = []

    def remembered(name: str) -> File:
        opened.append(open_stored(name))
        return opened[-1]

    monkeypatch.setattr("assets.common.files.downloads.open_stored", remembered)
    # Probes wait for what is slow on a busy machine.
    monkeypatch.setattr("assets.common.ops.health.PATIENCE", 60)
    yield
    for file in opened:
        file.close()


def _organization(id: str, name: str) -> Organization:
    return create_organization(id, name=name)


@pytest.fixture
def org_a(db) -> Organization:
    return _organization("MyOrg1MSP", "First hospital")


@pytest.fixture
def org_b(db) -> Organization:
    return _organization("MyOrg2MSP", "Second hospital")


@pytest.fixture
def org_c(db) -> Organization:
    return _organization("MyOrg3MSP", "Third hospital")


@pytest.fixture
def alice(org_a) -> User:
    return create_user("alice", organization=org_a, role=Role.MEMBER, password=PASSWORD)


@pytest.fixture
def ada(org_a) -> User:
    return create_user("ada", organization=org_a, role=Role.ADMIN, password=PASSWORD)


@pytest.fixture
def victor(org_a) -> User:
    return create_user("victor", organization=org_a, role=Role.VIEWER, password=PASSWORD)


@pytest.fixture
def bob(org_b) -> User:
    return create_user("bob", organization=org_b, role=Role.MEMBER, password=PASSWORD)


@pytest.fixture
def carol(org_c) -> User:
    return create_user("carol", organization=org_c, role=Role.MEMBER, password=PASSWORD)


@pytest.fixture
def root(db) -> User:
    return create_user("root", organization=None, password=PASSWORD, is_superuser=True)


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient(HTTP_ACCEPT=SDK_ACCEPT)


@pytest.fixture
def client_of() -> Callable[[User], APIClient]:
    """Return an API client that signs in by a real token, as the SDK does."""

    def make(user: User) -> APIClient:
        _, secret = create_token(user, expires_at=timezone.now() + timedelta(hours=1))
        return APIClient(HTTP_ACCEPT=SDK_ACCEPT, HTTP_AUTHORIZATION=f"Token {secret}")

    return make


@pytest.fixture
def session_of() -> Callable[[User], Client]:
    """Return a browser that is signed in."""

    def make(user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    return make


@pytest.fixture
def one_connection() -> Iterator[None]:
    """For tests that ask the application itself, and not by Django's client.

    A request begins and ends by closing a connection that is in a transaction: the test's own.
    """
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)
