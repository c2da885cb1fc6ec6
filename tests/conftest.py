"""What every test may ask for: organisations and users (`tests.cast`), and their clients."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.base import File
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.db.backends.base.operations import BaseDatabaseOperations
from django.test import Client, TransactionTestCase, override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from assets.accounts.models import Organization, User
from assets.accounts.registration.tokens import create_token
from assets.common.files.pending import ahead
from assets.common.files.storage import open_stored
from assets.feed.models import Event
from assets.immutable import install_triggers, remove_triggers

from .cast import FAST_HASHERS, A, B, C, register_cast

SDK_ACCEPT = "application/json;version=0.0"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """Register the cast once per process, and again whenever Django has emptied the tables."""
    flush = BaseDatabaseOperations.execute_sql_flush
    tear_down = TransactionTestCase._fixture_teardown

    def flush_in_spite_of_triggers(operations: BaseDatabaseOperations, sql_list: list[str]) -> None:
        # The signal that follows makes the triggers again.
        remove_triggers(plan=["the next test"])
        flush(operations, sql_list)

    def tear_down_and_refill(case: TransactionTestCase) -> None:
        tear_down(case)
        register_cast()

    with django_db_blocker.unblock():
        register_cast()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", flush_in_spite_of_triggers)
        patch.setattr(TransactionTestCase, "_fixture_teardown", tear_down_and_refill)
        yield


def settings_in(folder: Path) -> dict[str, Any]:
    """Return the settings that keep files in a folder, and hash passwords fast."""
    default = settings.STORAGES["default"]
    return {
        "PASSWORD_HASHERS": FAST_HASHERS,
        "STORAGE_ROOT": folder / "files",
        "SERVERMEDIAS_ROOT": folder / "servermedias",
        "STORAGES": {
            "default": {
                **default,
                "OPTIONS": {**default["OPTIONS"], "location": folder / "files"},
            },
            # Nothing is collected in tests, so no file has a hashed name.
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
        },
    }


@pytest.fixture(scope="module")
def shared_rows(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Path]:
    """Let fixtures of a module register what each of its tests finds; return where its files are.

    Their transaction is around those of the tests. A module whose lists are read uses such a
    fixture in every test (`usefixtures`), or a test would find more after others than alone.
    """
    folder = tmp_path_factory.mktemp("shared")
    with (
        override_settings(**settings_in(folder)),
        django_db_blocker.unblock(),
        transaction.atomic(),
    ):
        yield folder
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _fast_and_apart(request, settings, tmp_path) -> Iterator[None]:
    """Hash passwords fast, keep files in a folder of the test, and nothing in the cache."""
    for name, value in settings_in(tmp_path).items():
        setattr(settings, name, value)
    if "shared_rows" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("shared_rows"), tmp_path, dirs_exist_ok=True)
    cache.clear()
    # Their rows go with those of the test before.
    ahead.clear()
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


def _user(username: str) -> User:
    return User.objects.select_related("organization").get(username=username)


@pytest.fixture
def org_a(db) -> Organization:
    return Organization.objects.get(pk=A)


@pytest.fixture
def org_b(db) -> Organization:
    return Organization.objects.get(pk=B)


@pytest.fixture
def org_c(db) -> Organization:
    return Organization.objects.get(pk=C)


@pytest.fixture
def alice(db) -> User:
    return _user("alice")


@pytest.fixture
def ada(db) -> User:
    return _user("ada")


@pytest.fixture
def victor(db) -> User:
    return _user("victor")


@pytest.fixture
def bob(db) -> User:
    return _user("bob")


@pytest.fixture
def carol(db) -> User:
    return _user("carol")


@pytest.fixture
def root(db) -> User:
    return _user("root")


@pytest.fixture
def no_cast(db) -> None:
    """Remove the cast: there is neither an organisation nor a user yet."""
    remove_triggers(plan=["what follows"])
    for model in (Event, User, Organization):
        model.objects.all().delete()
    install_triggers()


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
