"""A server of an earlier version that reads all the time, from another connection."""

import threading
import time
from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

# How long a read may wait for others. Locks last for milliseconds of processor time, but a busy
# machine may stop a process that has one.
PATIENCE = "20s"

Rows = list[str]


class EarlierServer:
    """Reads by the statements that a server of the earlier version sent, one after another."""

    def __init__(self, settings: dict[str, Any], statements: Sequence[str]) -> None:
        self.settings, self.statements = settings, statements
        self.rounds, self.slowest, self.wrong = 0, 0.0, dict[str, str]()
        with self.connected() as cursor:
            self.expected = {sql: rows_of(cursor, sql) for sql in statements}

    @contextmanager
    def connected(self):
        with psycopg.connect(**parameters(self.settings), autocommit=True) as connection:
            cursor = connection.execute(f"SET lock_timeout = '{PATIENCE}'")
            yield cursor

    def read_once(self, cursor: psycopg.Cursor) -> None:
        for sql in self.statements:
            begin = time.perf_counter()
            try:
                if rows_of(cursor, sql) != self.expected[sql]:
                    self.wrong[sql] = "other rows"
            except psycopg.Error as error:
                self.wrong[sql] = str(error)
            self.slowest = max(self.slowest, time.perf_counter() - begin)
        self.rounds += 1

    @contextmanager
    def reading(self):
        """Read all the time while the block runs, and once more when it has ended."""
        stop = threading.Event()

        def read() -> None:
            with self.connected() as cursor:
                while not stop.is_set():
                    self.read_once(cursor)
                self.read_once(cursor)

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def rows_of(cursor: psycopg.Cursor, sql: str) -> Rows:
    """Return the rows as texts, in any order."""
    # It has no parameters, so a percent sign is one.
    return sorted(map(str, cursor.execute(sql.encode()).fetchall()))


def parameters(settings: dict[str, Any]) -> dict[str, Any]:
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host"}
    values = {own: settings[name] for name, own in {**names, "PORT": "port"}.items()}
    return {name: value for name, value in values.items() if value}
