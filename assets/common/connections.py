"""The connection of a request: whether the client still waits, and may be let wait."""

import select

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .audit import current_request

# The header that has `project.server` ask again, after these seconds, instead of sending the
# response.
LATER = "X-Registrar-Later"

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


def let_wait(request: HttpRequest, response: HttpResponseBase, wait: float) -> None:
    """Have the server ask for another response in a moment, without a thread until then.

    Does nothing once the client has waited for `wait` seconds, or if the server cannot do it.
    """
    waited = request.META.get("registrar.waited")
    if waited is not None and waited < wait:
        response.headers[LATER] = str(min(max(0.1, waited / 8), 0.5, wait - waited))


def is_let_wait(response: HttpResponseBase) -> bool:
    """Return whether the response is not sent, and the server asks again."""
    return LATER in response.headers
