"""How the process that answers requests connects to PostgreSQL, and a command does."""

import time
from threading import Thread

import pytest
from django.db import OperationalError, connection, connections
from django.test import Client
from psycopg import Cursor

from assets.common.db.postgresql import base

from .test_settings import run_settings

pytestmark = pytest.mark.postgresql

POSTGRES = {"DATABASE_URL": "postgres://registrar@localhost/registrar", "SECRET_KEY": "x"}
SERVING = {**POSTGRES, "SERVING": "true"}
DATABASE = "settings.DATABASES['default']"
TUNED = "-c random_page_cost=1.1 -c jit=off -c plan_cache_mode=force_generic_plan"
PREPARED = {"prepare_threshold": 1}


def options(tmp_path, **environment: str) -> dict:
    found = run_settings(f"{DATABASE}['OPTIONS']", tmp_path, **environment)
    assert found.returncode == 0, found.stderr
    return eval(found.stdout)  # noqa: S307  our own settings, printed


def test_a_request_ends(tmp_path):
    assert options(tmp_path, **SERVING) == PREPARED | {
        "options": f"{TUNED} -c statement_timeout=60s -c lock_timeout=30s"
        " -c idle_in_transaction_session_timeout=60s"
    }


def test_a_command_may_take_its_time(tmp_path):
    assert options(tmp_path, **POSTGRES, DATABASE_POOL_SIZE="4") == PREPARED


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"DATABASE_STATEMENT_TIMEOUT": "5", "DATABASE_LOCK_TIMEOUT": "0"}, "statement_timeout=5s"),
        # The last of several holds.
        ({"DATABASE_URL": f"{POSTGRES['DATABASE_URL']}?options=-c%20jit=on"}, "=60s -c jit=on"),
        ({"DATABASE_URL": f"{POSTGRES['DATABASE_URL']}?sslmode=require"}, "require"),
    ],
)
def test_limits_and_options_go_together(environment, expected, tmp_path):
    found = options(tmp_path, **{**SERVING, **environment})
    assert expected in str(found)
    assert "idle_in_transaction_session_timeout=60s" in found["options"]
    assert ("lock_timeout" in found["options"]) == ("DATABASE_LOCK_TIMEOUT" not in environment)


def test_nothing_need_be_sent(tmp_path):
    """A pooler between us and the database may know no such options."""
    names = ("STATEMENT_TIMEOUT", "LOCK_TIMEOUT", "IDLE_TIMEOUT", "TUNING")
    none = {f"DATABASE_{name}": "0" for name in names}
    assert options(tmp_path, **SERVING, **none) == {}


def test_connections_of_one_request_prepare_nothing(tmp_path):
    """So does a pooler that gives each transaction another server."""
    assert not PREPARED.items() <= options(tmp_path, **SERVING, CONN_MAX_AGE="0").items()
    pooled = options(tmp_path, **SERVING, CONN_MAX_AGE="0", DATABASE_POOL_SIZE="2")
    assert PREPARED.items() <= pooled.items()


def test_threads_may_share_connections(tmp_path):
    found = options(tmp_path, **SERVING, DATABASE_POOL_SIZE="3")
    assert found["pool"] == {"min_size": 1, "max_size": 3, "timeout": 10}
    age = run_settings(f"{DATABASE}['CONN_MAX_AGE']", tmp_path, **SERVING, DATABASE_POOL_SIZE="3")
    assert age.stdout.strip() == "0"
    kept = run_settings(f"{DATABASE}['CONN_MAX_AGE']", tmp_path, **SERVING)
    assert kept.stdout.strip() == "60"


def test_a_connection_that_ended_is_opened_again(tmp_path):
    found = run_settings(f"{DATABASE}['CONN_HEALTH_CHECKS']", tmp_path, **SERVING)
    assert found.stdout.strip() == "True"


@pytest.fixture
def asked(transactional_db, monkeypatch) -> list[str]:
    """Return what Django's health check asks the server from here on."""
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    found: list[str] = []
    execute = Cursor.execute

    def noted(cursor, query, *args, **options):
        found.append(query)
        return execute(cursor, query, *args, **options)

    connection.ensure_connection()
    monkeypatch.setattr(Cursor, "execute", noted)
    monkeypatch.setattr(connection, "health_check_enabled", True)
    return found


def next_request() -> int:
    """Return the server process that answers the next request."""
    connection.close_if_unusable_or_obsolete()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_a_connection_that_has_just_answered_is_trusted(asked):
    next_request()
    next_request()
    assert asked == ["SELECT pg_backend_pid()"] * 2


def test_a_connection_is_not_trusted_for_long(asked, monkeypatch):
    monkeypatch.setattr(base, "TRUSTED", 0)
    next_request()
    assert asked == ["SELECT 1", "SELECT pg_backend_pid()"]


def test_a_connection_that_the_server_ends_is_replaced_at_once(asked):
    ended, other = next_request(), connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [ended])
    other.close()
    assert next_request() != ended


def test_sqlite_is_not_opened_for_each_request(tmp_path):
    kept = run_settings(f"{DATABASE}['CONN_MAX_AGE']", tmp_path)
    assert kept.stdout.strip() == "60"


@pytest.fixture
def limited(transactional_db):
    """Let the test's connection be opened anew with other OPTIONS; undo it afterwards."""
    if connection.vendor != "postgresql":
        pytest.skip("of PostgreSQL")
    settings = connection.settings_dict
    before = {name: settings[name] for name in ("OPTIONS", "CONN_MAX_AGE")}
    yield settings
    connection.close()
    connection.close_pool()
    settings.update(before)


def test_a_statement_that_takes_too_long_asks_to_try_again(limited, monkeypatch):
    connection.close()
    limited["OPTIONS"] = {"options": "-c statement_timeout=100ms"}
    with connection.cursor() as cursor, pytest.raises(OperationalError, match="timeout"):
        cursor.execute("SELECT pg_sleep(10)")
    connection.rollback()

    def slow(*args):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(10)")

    monkeypatch.setattr("assets.accounts.api.authentication.TokenAuthentication.authenticate", slow)
    client = Client(raise_request_exception=False)
    answer = client.get("/api/data_manager/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


def test_more_threads_than_connections_take_turns(limited):
    connection.close()
    limited.update(CONN_MAX_AGE=0)
    limited["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 2, "timeout": 10}}
    pids: list[int] = []

    def ask():
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
                time.sleep(0.01)
        finally:
            connections["default"].close()

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pids) == 8
    assert 1 <= len(set(pids)) <= 2
