"""The connection to PostgreSQL."""

import select
import time

from django.db.backends.postgresql import base

# Seconds for which a connection that has answered is trusted.
TRUSTED = 5


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection whose health check asks the server only where its socket does not show it.

    Django asks before each request, which is a third of the statements of a small one. A server
    that ends a connection says so, and closes it: the socket is then readable, and the server is
    asked. A network that drops a connection says nothing, so that nothing is trusted for long.
    """

    _answered_at = float("-inf")

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
