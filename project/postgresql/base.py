"""Django's own, but for how it knows that a kept connection still lives."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Asks the database only where there is doubt, rather than before each request.

    A server that ends a connection says so, and what it says can be read. As long as there is
    nothing to read, the connection is as good as a statement sent to find out would prove it.
    """

    def is_usable(self) -> bool:
        if self.connection is None or _has_something_to_read(self.connection.fileno()):
            return super().is_usable()
        return True


def _has_something_to_read(socket: int) -> bool:
    waiting = select.poll()
    waiting.register(socket, select.POLLIN)
    return bool(waiting.poll(0))
