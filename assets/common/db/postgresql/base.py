"""The connection to PostgreSQL."""

import select
import time
from collections.abc import Sequence
from typing import Any, cast

from django.db import NotSupportedError
from django.db.backends.postgresql import base, operations
from psycopg import RawCursor
from psycopg.types.datetime import TimestamptzLoader

# Seconds for which a connection that has answered is trusted.
TRUSTED = 5
# A cursor keeps its last result: one with more rows is not used again.
MAX_ROWS_KEPT = 1_000


class DatabaseOperations(operations.DatabaseOperations):
    def last_executed_query(self, cursor, sql, params):
        # psycopg does not keep the text of a prepared statement.
        return super().last_executed_query(cursor, sql, params) or sql


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose health check asks the server only where its socket does not show it.

    Django asks before each request, which is a third of the statements of a small one. A server
    that ends a connection says so, and closes it: the socket is then readable, and the server is
    asked. A network that drops a connection says nothing, so that nothing is trusted for long.
    """

    ops_class = DatabaseOperations
    _answered_at = float("-inf")
    _kept: RawCursor[Any] | None = None

    def is_usable(self) -> bool:
        if self._is_trusted():
            return True
        if usable := super().is_usable():
            self._answered_at = time.monotonic()
        return usable

    def _is_trusted(self) -> bool:
        if self.connection is None or self.connection.closed or self.errors_occurred:
            return False
        if time.monotonic() - self._answered_at > TRUSTED:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0)

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        self._answered_at = time.monotonic()
        return connection

    def fetch(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a statement with parameters `$1`, `$2`, which PostgreSQL prepares.

        What is sent again is neither parsed nor planned again.
        """
        try:
            return self._fetch(sql, params)
        except NotSupportedError:
            if self.in_atomic_block:
                raise
            # Another type of a column since it was prepared: a new connection prepares it anew.
            self.close()
            return self._fetch(sql, params)

    def _fetch(self, sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run it on a cursor that stays: making one takes as long as a small statement."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        self.validate_no_broken_transaction()
        if self._kept is None or self._kept.connection is not self.connection:
            self._kept = RawCursor(self.connection)
            # psycopg parses dates in C, ten times as fast as Django's loader in Python.
            self._kept.adapters.register_loader("timestamptz", TimestamptzLoader)
        watched = self.queries_logged or self.execute_wrappers
        cursor: Any = cast(Any, self)._prepare_cursor(self._kept) if watched else self._kept
        with self.wrap_database_errors:
            cursor.execute(sql, params)
            # A statement without rows has none to number.
            rows = [] if cursor.rownumber is None else cursor.fetchall()
        if len(rows) > MAX_ROWS_KEPT:
            self._kept = None
        return rows
