"""Whether the client still waits for the response."""

import select

from .audit import current_request

# The client has closed its side, hung up, or the connection is broken.
_GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR


def client_has_gone() -> bool:
    """Return whether the connection of the current request was closed.

    Returns False if that is unknown: in a command, or in a server other than `project.server`,
    which puts the connection's socket into the WSGI environment.
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
