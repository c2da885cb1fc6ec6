"""What a process of the server does with its connections: waitress, and limits of our own.

One thread waits for all connections. It receives a whole request before a worker thread sees it,
and sends what a worker thread has answered, so that a client that sends or reads slowly holds a
socket and a buffer but no thread. What is added to waitress here:

- a client that takes longer than `HEAD_SECONDS`, `IDLE_SECONDS` or `SLOWEST` allow is cut off;
- a large body is received only once the application allows its sender to send it;
- where there are too many connections, the one that has been silent longest is closed.
"""

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.util import FileWrapper

from django.core.exceptions import RequestDataTooBig
from waitress import wasyncore
from waitress.buffers import ReadOnlyFileBasedBuffer
from waitress.channel import HTTPChannel
from waitress.server import TcpWSGIServer
from waitress.task import WSGITask
from waitress.utilities import Error

from .requests import Request, Unread

# Seconds for the head of a request, and between two requests: a proxy keeps a connection for 60 s,
# and must not find it closed when it uses it.
HEAD_SECONDS = 20
IDLE_SECONDS = 75
# Bytes a second that a client must send of a body, or read of an answer, over each window.
SLOWEST = 500
WINDOW_SECONDS = 60
# A client that still sends a body would not read the answer if its connection were closed at once:
# for this long, and this much, the rest of the body is received and discarded.
LINGER_SECONDS = 5
LINGER_BYTES = 64 * 1024**2

logger = logging.getLogger(__name__)

# Returns how many bytes a client may send, from the WSGI environment of its request.
Admit = Callable[[dict[str, Any]], int]

ADJUSTMENTS: dict[str, Any] = {
    # Lists are filtered by keys in the address: 1,500 of them fit.
    "max_request_header_size": 64 * 1024,
    # Larger buffers are on the disk.
    "inbuf_overflow": 128 * 1024,
    "outbuf_overflow": 256 * 1024,
    # A worker thread waits for the reader of an answer that it generates beyond this size.
    "outbuf_high_watermark": 256 * 1024**2,
    "recv_bytes": 64 * 1024,
    # `Admit` decides.
    "max_request_body_size": 1 << 62,
    "cleanup_interval": 1,
    "ident": None,
    "log_socket_errors": False,
    # Django reads them, if BEHIND_PROXY is set.
    "clear_untrusted_proxy_headers": False,
}


class TooSlow(Error):
    code, reason = 408, "Request Timeout"


class Task(WSGITask):
    """Answers one request, by WSGI."""

    def get_environment(self) -> dict[str, Any]:
        environ = super().get_environment()
        environ["wsgi.multiprocess"] = True
        # `assets.common.connections` sees by it whether the client still waits.
        environ["registrar.socket"] = self.channel.socket
        environ["wsgi.file_wrapper"] = self._file_wrapper
        if self.request.chunked:
            environ["CONTENT_LENGTH"] = str(len(self.request.body_rcv))
        return environ

    def _file_wrapper(self, file: Any, size: int) -> Iterable[bytes]:
        """Return what sends a file: the thread of the connections, if reading never waits."""
        try:
            file.fileno()
        except (AttributeError, OSError):
            return FileWrapper(file, size)
        return ReadOnlyFileBasedBuffer(file, size)

    def execute(self) -> None:
        if self.channel.server.is_stopping or self.channel.is_abandoned:
            self.set_close_on_finish()
        try:
            super().execute()
        finally:
            self.channel.server.after_request()

    def write(self, data: bytes) -> None:
        super().write(b"" if self.request.command == "HEAD" else data)

    def finish(self) -> None:
        if self.request.command == "HEAD":
            self.chunked_response = False
        super().finish()


class Channel(HTTPChannel):
    """A connection: its requests, one after the other."""

    task_class, parser_class = Task, Request
    request: Any
    sendbuf_len: int
    # The client still sends a body, which is not received.
    is_abandoned = False
    _lingers_since: float | None = None
    _discarded = 0
    # The bytes sent, and what was seen of the connection at a time: what it waits for, the bytes.
    _sent = 0
    _seen: tuple[str, int, float] = ("", 0, 0.0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What is read from a buffer but not taken by the socket is read again.
        self.sendbuf_len = min(self.sendbuf_len, 128 * 1024)

    # --- Large bodies ----------------------------------------------------------------------------

    def service(self) -> None:
        """Answer the first request, or go on receiving it."""
        request = self.requests[0]
        if request.is_paused:
            if not request.is_admitted and request.goes_on(self._admitted(request)):
                self._receive(request)
                return
            if request.is_paused:
                request.unread = request.unread or RequestDataTooBig("The body is too large.")
                self.is_abandoned = not request.is_whole
        super().service()

    def _admitted(self, request: Request) -> int:
        environ = Task(self, request).get_environment()
        try:
            return self.server.admit(environ | {"wsgi.input": Unread(RequestDataTooBig())})
        except Exception:
            # The request must be answered all the same: what waits for us is never cut off.
            logger.exception("Whether %s may send its body is not known", request.path)
            return 0

    def _receive(self, request: Request) -> None:
        with self.requests_lock:
            self.requests.pop(0)
            self.request = request
            if request.expect_continue and not self.sent_continue:
                self.send_continue()
        self.server.pull_trigger()

    # --- What was abandoned is received and discarded for a while --------------------------------

    def readable(self) -> bool:
        return self._lingers_since is not None or super().readable()

    def writable(self) -> bool:
        return self._lingers_since is None and super().writable()

    def handle_read(self) -> None:
        if self._lingers_since is None:
            super().handle_read()
            return
        with contextlib.suppress(OSError):
            self._discarded += len(self.recv(self.adj.recv_bytes))
            if self._discarded > LINGER_BYTES:
                super().handle_close()

    def handle_close(self) -> None:
        if self.is_abandoned and self.connected and self._lingers_since is None:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)
                self._lingers_since = time.monotonic()
                return
        super().handle_close()

    # --- Clients that are too slow ---------------------------------------------------------------

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent = super().send(data, do_close=do_close)
        self._sent += sent
        return sent

    @property
    def is_busy(self) -> bool:
        """A request is being received, answered or sent."""
        return bool(self.requests or self.request or self.total_outbufs_len)

    def check(self, now: float) -> None:
        """Close the connection if the client has taken too long."""
        if self._lingers_since is not None:
            if now - self._lingers_since > LINGER_SECONDS:
                super().handle_close()
            return
        request = self.request
        if self.total_outbufs_len:
            waits, moved, seconds = "reader", self._sent, WINDOW_SECONDS
        elif self.requests:
            waits, moved, seconds = "us", 0, 0
        elif request is None:
            waits, moved, seconds = "request", 0, IDLE_SECONDS
        elif request.headers_finished:
            waits, moved, seconds = "body", request.body_bytes_received, WINDOW_SECONDS
        else:
            waits, moved, seconds = "head", 0, HEAD_SECONDS
        seen, before, since = self._seen
        if seen != waits or (moved - before >= SLOWEST * WINDOW_SECONDS and moved):
            self._seen = (waits, moved, now)
        elif seconds and now - since > seconds:
            self._cut_off(request)

    def _cut_off(self, request: Request | None) -> None:
        with self.requests_lock:
            if request is None or self.requests or self.total_outbufs_len:
                self.will_close = True
                return
            request.error, request.completed = TooSlow("The request took too long."), True
            self.is_abandoned, self.request = True, None
            self.requests.append(request)
            self.server.add_task(self)


class Server(TcpWSGIServer):
    """Accepts the connections of one address.

    Attributes:
        admit: called in a worker thread.
        after_request: called in a worker thread, once it has answered.
        is_stopping: requests under way are answered, and their connections closed.
    """

    channel_class = Channel
    is_stopping = False

    def __init__(
        self, *args: Any, admit: Admit, after_request: Callable[[], None], **kwargs: Any
    ) -> None:
        self.admit, self.after_request = admit, after_request
        super().__init__(*args, **kwargs)

    def handle_accept(self) -> None:
        super().handle_accept()
        if len(self.active_channels) > self.adj.most_channels:
            self._make_room()

    def _make_room(self) -> None:
        """Close the connection that has been silent longest, of those that no thread works for."""
        channels = [channel for channel in self.active_channels.values() if not channel.requests]
        if channels:
            min(channels, key=lambda channel: channel.last_activity).will_close = True

    def maintenance(self, now: float) -> None:
        moment = time.monotonic()
        for channel in list(self.active_channels.values()):
            channel.check(moment)

    def stop(self) -> None:
        """Accept nothing more."""
        self.is_stopping = True
        # Not the trigger, by which worker threads wake the thread of the connections.
        wasyncore.dispatcher.close(self)

    def close_idle(self) -> None:
        """Close the connections on which nothing is under way."""
        for channel in self.active_channels.values():
            if not channel.is_busy:
                channel.will_close = True

    @property
    def is_busy(self) -> bool:
        return any(channel.is_busy for channel in self.active_channels.values())


def wait_for(sockets: dict[int, Any], seconds: float) -> None:
    """Do what the sockets are ready for; return after `seconds` if none is."""
    wasyncore.poll2(seconds, sockets)
