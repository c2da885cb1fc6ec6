"""A database that several threads can use."""

import contextlib
import sqlite3

import pytest
from django.db import connection, connections


@pytest.fixture
def shared_database(transactional_db, tmp_path):
    """Let threads share the database of the test.

    PostgreSQL is shared anyway. The SQLite of the tests lives in memory, where connections that
    share it do not wait for each other; here it moves to a file, as the server has it.
    """
    if connection.vendor != "sqlite":
        yield
        return
    in_memory, settings = connections["default"], connections.settings["default"]
    name, path = settings["NAME"], tmp_path / "shared.sqlite3"
    in_memory.ensure_connection()
    with contextlib.closing(sqlite3.connect(path)) as file:
        in_memory.connection.backup(file)
    settings["NAME"] = str(path)
    del connections["default"]
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"], settings["NAME"] = in_memory, name
