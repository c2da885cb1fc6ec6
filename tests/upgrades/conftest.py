"""A registry of an earlier version, migrated to this one, and clients of it."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from assets.common.db.another import another_database

from .recorded import Recorded
from .registry import Reader, schema

VERSIONS = sorted(path.name for path in Path(__file__).parent.glob("[0-9]*"))


@pytest.fixture(scope="module", params=VERSIONS)
def recorded(request) -> Recorded:
    return Recorded(request.param)


@pytest.fixture(scope="module")
def new_schema(django_db_setup, django_db_blocker) -> dict[str, object]:
    """The tables of a database that this version created."""
    with django_db_blocker.unblock():
        return schema()


@pytest.fixture(scope="module")
def old_database(recorded, django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[dict]:
    """The settings of a database as the earlier version left it."""
    path = tmp_path_factory.mktemp("upgrade") / "registrar.sqlite3"
    with django_db_blocker.unblock():
        if connection.vendor == "sqlite":
            yield recorded.make_sqlite(path)
        else:
            with recorded.postgresql(path) as settings:
                yield settings


@pytest.fixture(scope="module")
def migrated(old_database) -> Iterator[str]:
    """Use the database in place of the usual one, once it is migrated; what `migrate` printed."""
    out = io.StringIO()
    with another_database(old_database):
        call_command("migrate", stdout=out)
        yield out.getvalue()


@pytest.fixture
def stored(recorded, settings, tmp_path) -> Path:
    """The files that the registry had stored, as the storage of this test."""
    storage = recorded.unpack_backup(tmp_path) / "files"
    settings.STORAGES = settings.STORAGES | {
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": storage}}
    }
    settings.STORAGE_ROOT = storage
    return storage


@pytest.fixture
def curie() -> Reader:
    """The user of whose requests answers were recorded."""
    return Reader()
