"""Incoming requests: a body is received up to the size that its client may send."""

import sys
import time
from io import RawIOBase
from typing import Any, NamedTuple

from waitress.utilities import BadRequest

from .heads import Head

# Of a chunked body: the line with the size of a chunk, and the trailer.
MAX_CHUNK_LINE = 16 * 1024

# What WSGI says of every request.
WSGI: dict[str, Any] = {
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.input_terminated": True,
    "SCRIPT_NAME": "",
}
# The headers whose names have no prefix.
WITHOUT_PREFIX = {name: name for name in ("CONTENT_LENGTH", "CONTENT_TYPE")}


class Limits(NamedTuple):
    """Limits in bytes, under the names by which waitress reads them.

    Attributes:
        small_body: what any client may send; the application decides about more.
        max_request_header_size: clients filter lists by keys in the address, and 1,500 keys fit.
        inbuf_overflow: of a larger body, the rest goes to the disk.
    """

    small_body: int
    max_request_header_size: int = 64 * 1024
    max_request_body_size: int = 1 << 62
    inbuf_overflow: int = 128 * 1024
    url_scheme: str = "http"


class Unread(RawIOBase):
    """The body of a request that was not received: reading it raises the reason."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        raise self.error

    def readline(self, size: int | None = -1) -> bytes:
        raise self.error


class Request(Head):
    """A request that pauses when its body becomes larger than `limit`.

    Attributes:
        limit: bytes that the client may send: those of any client, until the application decides.
        is_admitted: whether the application has set the limit.
        is_whole: whether all of the body was received.
        unread: the reason why the body was not received.
    """

    completed: Any
    expect_continue: bool
    error: Any
    # As long as the head was not read.
    command = ""
    is_admitted = is_whole = False
    unread: Exception | None = None
    _expects = False
    _waits_since: float | None = None

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.limit = adj.small_body

    @property
    def is_paused(self) -> bool:
        return self.completed and not self.error and (self._is_too_large() or bool(self.unread))

    def received(self, data: bytes) -> int:
        if self.completed:
            return 0
        consumed = self._take(data)
        if self.body_rcv is None:
            return consumed
        if self._is_too_large():
            # The rest of the data belongs to the body, not to the next request.
            while consumed < len(data) and not self.completed:
                consumed += self._take(data[consumed:])
        self.is_whole = self.completed and not self.unread
        if self._is_too_large() or self.unread:
            self._expects, self.expect_continue = self.expect_continue, False
            self.completed = True
        return consumed

    def _take(self, data: bytes) -> int:
        try:
            consumed = super().received(data)
        except OSError as error:  # no space left for the buffer
            self.unread = error
            return len(data)
        if self.chunked and not self.completed:
            lines = len(self.body_rcv.control_line) + len(self.body_rcv.trailer)
            if lines > MAX_CHUNK_LINE:
                self.error, self.completed = BadRequest("Invalid chunk size"), True
        return consumed

    def _is_too_large(self) -> bool:
        return max(self.content_length, len(self.body_rcv or ())) > self.limit

    def admit(self, limit: int) -> bool:
        """Return whether to receive the rest of the body, now that the client may send `limit`."""
        self.limit, self.is_admitted = limit, True
        if self.is_whole or self.is_paused:
            return False
        self.completed, self.expect_continue = False, self._expects
        return True

    def get_body_stream(self) -> Any:
        if self.unread:
            return Unread(self.unread)
        stream = super().get_body_stream()
        # It may have been read, if the application is asked again.
        stream.seek(0)
        return stream

    def seconds_waited(self) -> float:
        """Return for how long it has waited, since this was asked first."""
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        return now - self._waits_since

    def environ(self) -> dict[str, Any]:
        """Return what WSGI has of this request, without what it has of the connection."""
        path = self.path
        environ = WSGI | {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": "/" + path.lstrip("/") if path.startswith("/") else path,
            "QUERY_STRING": self.query,
            "REQUEST_URI": self.request_uri,
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            "wsgi.input": self.get_body_stream(),
        }
        for name, value in self.headers.items():
            environ[WITHOUT_PREFIX.get(name) or f"HTTP_{name}"] = value
        if self.chunked:
            environ["CONTENT_LENGTH"] = str(len(self.body_rcv))
        return environ
