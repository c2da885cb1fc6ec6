"""A server of an earlier version goes on reading while `migrate` runs, and afterwards."""

import io
from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from assets.common.db.another import another_database
from assets.management.commands import migrate

from .reading import EarlierServer
from .recorded import new_database

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


@pytest.fixture
def copy(old_database) -> Iterator[dict]:
    """The settings of a database of the earlier version for one test."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite serves one version at a time; PostgreSQL runs this")
    with new_database(old_database, old_database["NAME"]) as settings:
        yield settings


def test_no_read_is_refused_or_waits(recorded, copy):
    """Each reads what it read before, and is not kept waiting for a lock."""
    server = EarlierServer(copy, recorded.reads)
    assert any("taskinput" in sql for sql in server.statements)
    with another_database(copy), server.reading():
        call_command("migrate", verbosity=0)

    assert server.wrong == {}
    assert server.rounds > 1


def test_no_read_waits_behind_a_migration_that_waits(recorded, copy, monkeypatch):
    """Somebody reads a table for long; `migrate` lets the others pass until that has ended."""
    server, printed, tries = EarlierServer(copy, recorded.reads), io.StringIO(), []
    with another_database(copy), server.connected() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT FROM assets_user LIMIT 1")

        def sleep(seconds: float) -> None:
            tries.append(seconds)
            if len(tries) == 2:
                cursor.execute("COMMIT")

        monkeypatch.setattr(migrate.time, "sleep", sleep)
        with server.reading():
            call_command("migrate", stdout=printed)

    assert server.wrong == {}
    assert printed.getvalue().count("A table that changes is in use") == len(tries) == 2
    assert "0020_organisation_label... OK" in printed.getvalue()
