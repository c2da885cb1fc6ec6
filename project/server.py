"""The connections of a server process: waitress, with limits of our own.

One thread waits for all connections. It receives a whole request before a worker thread sees it,
and sends what a worker thread answered. So a client that sends or reads slowly occupies a socket
and a buffer, but no thread. This module adds to waitress:

- a client that is slower than `HEAD_SECONDS`, `IDLE_SECONDS` or `MIN_BYTES_PER_SECOND` permit is
  disconnected;
- a large body is received only once the application admits its sender;
- when there are too many connections, the one that has been idle longest is closed.
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

logger = logging.getLogger(__name__)

# Returns how many bytes a client may send, from the WSGI environment of its request.
Admit = Callable[[dict[str, Any]], int]

ADJUSTMENTS: dict[str, Any] = {
    # Clients filter lists by keys in the address: 1,500 keys fit.
    "max_request_header_size": 64 * 1024,
    # Larger buffers go to the disk.
    "inbuf_overflow": 128 * 1024,
    "outbuf_overflow": 256 * 1024,
    # A thread that generates a larger answer waits for its reader.
    "outbuf_high_watermark": 256 * 1024**2,
    "recv_bytes": 64 * 1024,
    # `Admit` decides.
    "max_request_body_size": 1 << 62,
    "cleanup_interval": 1,
    "ident": None,
    "log_socket_errors": False,
    # Django reads them if BEHIND_PROXY is set.
    "clear_untrusted_proxy_headers": False,
}


class RequestTimeout(Error):
    code, reason = 408, "Request Timeout"


class Task(WSGITask):
    """Answers one request by WSGI."""

    def get_environment(self) -> dict[str, Any]:
        environ = super().get_environment()
        environ["wsgi.multiprocess"] = True
        # `assets.common.connections` looks here whether the client still waits.
        environ["registrar.socket"] = self.channel.socket
        environ["wsgi.file_wrapper"] = self._file_wrapper
        if self.request.chunked:
            environ["CONTENT_LENGTH"] = str(len(self.request.body_rcv))
        return environ

    def _file_wrapper(self, file: Any, size: int) -> Iterable[bytes]:
        """Return the file for the thread of connections to send, or its chunks if it may block."""
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
    """A connection with its requests, one after the other."""

    task_class, parser_class = Task, Request
    request: Any
    sendbuf_len: int
    # The client is still sending a body, which is not received.
    is_abandoned = False
    _lingers_since: float | None = None
    _discarded = 0
    # The bytes sent; and at the last check: what the connection waits for, the bytes, the time.
    _sent = 0
    _seen: tuple[str, int, float] = ("", 0, 0.0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # What the socket does not accept is read from the buffer again.
        self.sendbuf_len = min(self.sendbuf_len, 128 * 1024)

    # --- Large bodies ----------------------------------------------------------------------------

    def service(self) -> None:
        """Answer the first request, or continue to receive it."""
        request = self.requests[0]
        if request.is_paused:
            if not request.is_admitted and request.admit(self._admitted_bytes(request)):
                self._receive(request)
                return
            if request.is_paused:
                request.unread = request.unread or RequestDataTooBig("The body is too large.")
                self.is_abandoned = not request.is_whole
        super().service()

    def _admitted_bytes(self, request: Request) -> int:
        """Return how many bytes the client may send; 0 if the application fails to decide."""
        environ = Task(self, request).get_environment()
        try:
            return self.server.admit(environ | {"wsgi.input": Unread(RequestDataTooBig())})
        except Exception:
            # The request still needs an answer: the timeouts do not apply while it waits for one.
            logger.exception("Cannot decide whether %s may send its body", request.path)
            return 0

    def _receive(self, request: Request) -> None:
        with self.requests_lock:
            self.requests.pop(0)
            self.request = request
            if request.expect_continue and not self.sent_continue:
                self.send_continue()
        self.server.pull_trigger()

    # --- Abandoned bodies are received and discarded for a while ---------------------------------

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

    # --- Slow clients ----------------------------------------------------------------------------

    def send(self, data: bytes, do_close: bool = True) -> int:
        sent = super().send(data, do_close=do_close)
        self._sent += sent
        return sent

    @property
    def is_busy(self) -> bool:
        """Whether a request is being received or answered."""
        return bool(self.requests or self.request or self.total_outbufs_len)

    def check(self, now: float) -> None:
        """Disconnect the client if it has taken too long; `now` is monotonic, in seconds."""
        if self._lingers_since is not None:
            if now - self._lingers_since > LINGER_SECONDS:
                super().handle_close()
            return
        request = self.request
        if self.total_outbufs_len:
            waits, moved, seconds = "reader", self._sent, WINDOW_SECONDS
        elif self.requests:
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
            self._disconnect(request)

    def _disconnect(self, request: Request | None) -> None:
        with self.requests_lock:
            if request is None or self.requests or self.total_outbufs_len:
                self.will_close = True
                return
            request.error, request.completed = RequestTimeout("The request took too long."), True
            self.is_abandoned, self.request = True, None
            self.requests.append(request)
            self.server.add_task(self)


class Server(TcpWSGIServer):
    """Accepts the connections of one address.

    Attributes:
        admit: called in a worker thread.
        after_request: called in a worker thread after each answer.
        is_stopping: requests in progress are answered, and then their connections closed.
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
        if len(self.active_channels) > self.adj.max_channels:
            self._close_longest_idle()

    def _close_longest_idle(self) -> None:
        """Close the connection that has been idle longest, of those that no thread works for."""
        channels = [channel for channel in self.active_channels.values() if not channel.requests]
        if channels:
            min(channels, key=lambda channel: channel.last_activity).will_close = True

    def maintenance(self, now: float) -> None:
        moment = time.monotonic()
        for channel in list(self.active_channels.values()):
            channel.check(moment)

    def stop(self) -> None:
        """Accept no more connections."""
        self.is_stopping = True
        # Only the listener: worker threads still need the trigger that wakes this thread.
        wasyncore.dispatcher.close(self)

    def close_idle(self) -> None:
        """Close the connections without a request in progress."""
        for channel in self.active_channels.values():
            if not channel.is_busy:
                channel.will_close = True

    @property
    def is_busy(self) -> bool:
        return any(channel.is_busy for channel in self.active_channels.values())


def wait_for(sockets: dict[int, Any], seconds: float) -> None:
    """Handle the sockets that are ready; wait for at most `seconds` until one is."""
    wasyncore.poll2(seconds, sockets)
