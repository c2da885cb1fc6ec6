"""Whether whoever sent a request still waits for its answer."""

import select

from .audit import current_request

# The other side sends no more, has gone, or the connection is broken.
_GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


def client_has_gone() -> bool:
    """Return whether the connection of the request that is answered now was closed meanwhile.

    False where that cannot be known: in a command, or under a server other than `project.server`,
    which puts the connection's socket into the request's environment.
    """
    request = current_request()
    connection = request.META.get("registrar.socket") if request else None
    if connection is None:
        return False
    if (number := connection.fileno()) < 0:
        return True
    poll = select.poll()
    poll.register(number, _GONE)
    return bool(poll.poll(0))
