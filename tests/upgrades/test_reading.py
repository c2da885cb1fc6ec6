"""A server of an earlier version goes on reading while `migrate` runs, and afterwards."""

import pytest
from django.core.management import call_command
from django.db import connection

from assets.common.db.another import another_database

from .reading import EarlierServer

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_no_read_is_refused_or_waits(recorded, old_database):
    """Each reads what it read before, and waits for no lock for a second."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite serves one version at a time; PostgreSQL runs this")
    server = EarlierServer(old_database, recorded.reads)
    assert any("taskinput" in sql for sql in server.statements)
    with another_database(old_database), server.reading():
        call_command("migrate", verbosity=0)

    assert server.wrong == {}
    assert server.rounds > 1
