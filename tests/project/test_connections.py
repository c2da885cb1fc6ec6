"""What a kept connection to PostgreSQL costs, and what happens when it has ended."""

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="of PostgreSQL"),
]


@pytest.fixture
def kept(monkeypatch):
    """Let the connection be one that is asked, before its next use, whether it lives."""
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    connection.close()
    connection.ensure_connection()
    connection.health_check_enabled = True
    connection.health_check_done = False
    yield connection
    connection.close()


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_a_connection_that_lives_is_not_asked(kept):
    with CaptureQueriesContext(kept) as captured:
        assert kept.is_usable()
    assert not captured


def test_one_that_has_ended_is_opened_again(kept):
    before = _backend()
    kept.health_check_done = False
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [before])
    other.close()
    assert _backend() != before
