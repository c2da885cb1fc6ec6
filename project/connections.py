"""One connection: its requests, one after the other, and its client, who may be slow."""

import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig
from waitress.utilities import Error

from .requests import Request, Unread
from .responses import Gone, Outgoing, Response

if TYPE_CHECKING:
    from .server import Server

# For the head of a request, and between two requests. A proxy keeps an idle connection for 60 s,
# and must not find it closed when it uses it.
HEAD_SECONDS = 20
IDLE_SECONDS = 75
# What a client must send of a body, or read of an answer, on average over each window.
MIN_BYTES_PER_SECOND = 500
WINDOW_SECONDS = 60
# A client that is still sending a body does not read the answer if the connection is closed at
# once. So the rest of the body is received and discarded, up to these limits.
LINGER_SECONDS = 5
LINGER_BYTES = 64 * 1024**2

RECEIVED_AT_ONCE = 64 * 1024
# Of a body: each call has a price, and most requests have no use for a larger buffer.
RECEIVED_OF_A_BODY = 256 * 1024

logger = logging.getLogger(__name__)


class RequestTimeout(Error):
    code, reason = 408, "Request Timeout"


class Connection:
    """A connection with its requests, one after the other.

    The thread that has its event owns it. Epoll has no other event of it until that thread is done.
    """

    # Whether the client has taken too long, unless something has come meanwhile.
    is_late = False
    # The client is still sending a body, which is not received.
    is_abandoned = False
    # Whether a thread answers a request.
    is_answering = False
    is_closed = False
    # Whether it closes once everything is sent.
    closes = False
    # The request that is being received, or that waits for its answer.
    request: Request | None = None
    # Whether it waits: the application had no answer yet, and is asked again.
    is_waiting = False
    _lingers_since: float | None = None
    _discarded = 0
    # At the last check: what the connection waits for, the bytes, the time.
    _seen: tuple[str, int, float] = ("", 0, 0.0)

    def __init__(
        self, server: "Server", connection: socket.socket, environ: dict[str, Any]
    ) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server, self.socket, self.number = server, connection, connection.fileno()
        self.environ = environ
        self.outgoing = Outgoing(connection)
        self.last_activity = time.monotonic()
        # What was received and belongs to no request yet.
        self._pending = b""
        self._lock = threading.Lock()

    # --- Events ----------------------------------------------------------------------------------

    def handle(self) -> None:
        """Receive what has come, and answer what is whole; then wait for the next event."""
        with self._lock:
            # The event may be one that `wake` caused, beside the thread that owns the connection.
            if self.is_closed or self.outgoing.size:
                self.is_late = False
                return
            try:
                if self.is_waiting:
                    self._answer_again()
                else:
                    self._receive()
            except (Gone, OSError):
                self.close()
            except Exception:
                logger.exception("A fault of the server")
                self.close()

    def send(self) -> None:
        """Send what the client takes, in the main thread; then wait for the next event."""
        with self._lock:
            try:
                self.outgoing.send()
                self._await_next(was_sending=True)
            except (Gone, OSError):
                self.close()

    def _receive(self) -> None:
        self.last_activity = time.monotonic()
        try:
            data = self.socket.recv(RECEIVED_OF_A_BODY if self.request else RECEIVED_AT_ONCE)
        except BlockingIOError:
            if self.is_late:
                self._time_out()
        else:
            self.is_late = False
            if self._lingers_since is not None:
                self._discarded += len(data)
            else:
                self._pending += data
            if not data or self._discarded > LINGER_BYTES:
                self.close()
                return
        self._take_requests()
        self._await_next()

    def _await_next(self, was_sending: bool = False) -> None:
        """Wait for the reader, or for the client; or close, if that is what is left to do."""
        if self.is_closed or self.is_waiting:
            return
        if self.outgoing.size:
            self.server.await_reader(self, anew=not was_sending)
            return
        if was_sending:
            self.server.await_no_reader(self)
        if self.closes and self._lingers_since is None:
            if not self.is_abandoned:
                self.close()
                return
            self.socket.shutdown(socket.SHUT_WR)
            self._lingers_since, self._pending = time.monotonic(), b""
        self.server.await_client(self, at_once=bool(self._pending))

    def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            self.server.connections.pop(self.number, None)
            self.outgoing.close()
            if self.request:
                self.request.close()
            self.socket.close()

    # --- Requests --------------------------------------------------------------------------------

    def _take_requests(self) -> None:
        while self._pending and not (self.outgoing.size or self.closes or self.is_waiting):
            request = self.request = self.request or Request(self.server.limits)
            self._pending = self._pending[request.received(self._pending) :]
            self._invite(request)
            if request.completed:
                self._take(request)

    def _take(self, request: Request) -> None:
        """Answer a request, or continue to receive it."""
        if request.is_paused:
            if not request.is_admitted and request.admit(self._admitted_bytes(request)):
                self._invite(request)
                return
            if request.is_paused:
                request.unread = request.unread or RequestDataTooBig("The body is too large.")
                self.is_abandoned = not request.is_whole
        if not request.empty:
            self._answer(request)
        if not self.is_waiting:
            self.request = None

    def _answer_again(self) -> None:
        """Ask the application again for an answer that it did not have."""
        request, self.is_waiting = self.request, False
        if request is None:
            return
        self.last_activity = time.monotonic()
        self._answer(request)
        if not self.is_waiting:
            self.request = None
            self._take_requests()
        self._await_next()

    def _invite(self, request: Request) -> None:
        """Ask the client for the body if it waits for that."""
        if request.expect_continue and request.headers_finished and not request.completed:
            request.expect_continue = False
            self.outgoing.add(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _admitted_bytes(self, request: Request) -> int:
        """Return how many bytes the client may send; 0 if the application fails to decide."""
        environ = self.environ | request.environ()
        try:
            return self.server.admit(environ | {"wsgi.input": Unread(RequestDataTooBig())})
        except Exception:
            logger.exception("Cannot decide whether %s may send its body", request.path)
            return 0

    def _answer(self, request: Request) -> None:
        closes = request.connection_close or self.server.is_stopping or self.is_abandoned
        response = Response(self.outgoing, request, closes=closes)
        self.is_answering = True
        try:
            if request.error:
                response.write_error(request.error)
            else:
                try:
                    response.run(self.server.application, self._environ_of(request))
                finally:
                    self.server.after_request()
        finally:
            self.is_answering = self.is_late = False
            if response.later is None:
                self.closes = response.closes
                request.close()
        if response.later is not None:
            self.is_waiting = True
            self.server.ask_again(self, response.later)

    def _environ_of(self, request: Request) -> dict[str, Any]:
        """Return the WSGI environment of a request; a server that stops lets no one wait."""
        environ = self.environ | request.environ()
        if not self.server.is_stopping and not self.is_abandoned:
            # How long it has waited: `assets.common.connections` may let it wait on.
            environ["registrar.waited"] = request.seconds_waited()
        return environ

    # --- Slow clients ----------------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a request is being received or answered."""
        return bool(self.is_answering or self.request or self.outgoing.size)

    def check(self, now: float) -> None:
        """Disconnect the client if it has taken too long; `now` is monotonic, in seconds."""
        if self._lingers_since is not None:
            if now - self._lingers_since > LINGER_SECONDS:
                self._hang_up()
            return
        request = self.request
        if self.outgoing.size:
            waits, moved, seconds = "reader", self.outgoing.sent, WINDOW_SECONDS
        elif self.is_answering or self.is_waiting:
            waits, moved, seconds = "worker", 0, 0
        elif request is None:
            waits, moved, seconds = "request", 0, IDLE_SECONDS
        elif request.headers_finished:
            waits, moved, seconds = "body", request.body_bytes_received, WINDOW_SECONDS
        else:
            waits, moved, seconds = "head", 0, HEAD_SECONDS
        seen, before, since = self._seen
        if seen != waits or (moved - before >= MIN_BYTES_PER_SECOND * WINDOW_SECONDS and moved):
            self._seen = (waits, moved, now)
        elif seconds and now - since > seconds:
            if waits == "reader":
                self._hang_up()
            else:
                self.end_unless_active()

    def _hang_up(self) -> None:
        """End the connection, whichever thread owns it: the owner then closes it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def end_unless_active(self) -> None:
        """Have a thread end the connection, unless something has come that none has received."""
        self.is_late = True
        self.server.await_client(self, at_once=True)

    def _time_out(self) -> None:
        request = self.request
        if request is None:
            self.close()
            return
        request.error, request.completed = RequestTimeout("The request took too long."), True
        self.is_abandoned = True
        self._answer(request)
        self.request = None
