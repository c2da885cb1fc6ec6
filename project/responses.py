"""Answers: what an application returns by WSGI, as HTTP, to a client that may read it slowly."""

import logging
import select
import socket
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any
from wsgiref.util import FileWrapper

from waitress.buffers import OverflowableBuffer, ReadOnlyFileBasedBuffer
from waitress.utilities import Error, InternalServerError

# Sent in one call. What the socket does not accept is read from the buffer again.
SENT_AT_ONCE = 128 * 1024
# Pieces, after which other readers have their turn.
PIECES_PER_TURN = 32
# Larger buffers go to the disk.
MAX_BUFFER = 256 * 1024
# A thread that generates a larger answer waits for its reader.
MAX_UNSENT = 256 * 1024**2
# How long it waits for a reader that reads nothing.
PATIENCE = 60
# The header of an answer that is not sent: after these seconds the application is asked again.
# `assets.common.connections` sets it.
LATER = "x-registrar-later"

logger = logging.getLogger(__name__)


class Gone(Exception):
    """The client has closed the connection, or does not read."""


class Outgoing:
    """What is on its way to the client of a connection.

    Attributes:
        size: bytes that the client has yet to take.
        sent: bytes that it has taken.
    """

    def __init__(self, connection: socket.socket) -> None:
        self.size = self.sent = 0
        self._socket = connection
        self._buffers: list[Any] = []

    def add(self, *pieces: bytes) -> None:
        """Send the pieces, as far as the client takes them now, and keep the rest.

        Raises: Gone if the client has gone, or if it reads nothing of very much.
        """
        self.send()
        taken = 0 if self.size else self._give(self._socket.sendmsg, pieces)
        for piece in pieces:
            if taken < len(piece):
                self._keep(piece[taken:])
            taken = max(0, taken - len(piece))
        while self.size > MAX_UNSENT:
            self._wait()

    def _give(self, send: Callable[[Any], int], data: Any) -> int:
        """Return how many bytes the client took."""
        try:
            taken = send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise Gone from error
        self.sent += taken
        return taken

    def add_file(self, file: ReadOnlyFileBasedBuffer) -> None:
        """Send a file, which is closed then."""
        self._buffers.append(file)
        self.size += len(file)
        self.send()

    def _keep(self, data: bytes) -> None:
        if not self._buffers or isinstance(self._buffers[-1], ReadOnlyFileBasedBuffer):
            self._buffers.append(OverflowableBuffer(MAX_BUFFER))
        self._buffers[-1].append(data)
        self.size += len(data)

    def send(self) -> None:
        """Send what the client takes now, up to a limit. Raises: Gone if it has gone."""
        for _ in range(PIECES_PER_TURN):
            if not self._buffers:
                return
            buffer = self._buffers[0]
            piece = buffer.get(SENT_AT_ONCE)
            taken = self._give(self._socket.send, piece)
            buffer.skip(taken, True)
            self.size -= taken
            if not len(buffer):
                self._buffers.pop(0).close()
            if taken < len(piece):
                return

    def _wait(self) -> None:
        waiting = select.poll()
        waiting.register(self._socket, select.POLLOUT)
        if not waiting.poll(PATIENCE * 1000):
            raise Gone
        self.send()

    def close(self) -> None:
        for buffer in self._buffers:
            buffer.close()


class Response:
    """The answer to one request.

    Attributes:
        closes: whether the connection ends with this answer.
        later: after how many seconds to ask the application again; then nothing is sent now.
    """

    later: float | None = None

    def __init__(self, outgoing: Outgoing, request: Any, *, closes: bool) -> None:
        self.closes = closes
        self._outgoing = outgoing
        self._is_head_request = request.command == "HEAD"
        self._knows_chunks = request.version == "1.1"
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._has_begun = self._is_chunked = False
        # Bytes of the body that are still to come; None if their number is not known.
        self._left: int | None = None

    def write_error(self, error: Error) -> None:
        """Answer what the application cannot, and end the connection."""
        status, headers, body = error.to_response()
        self.closes = True
        self.start(status, [*headers, ("Content-Length", str(len(body)))])
        self.write(body)

    def run(
        self, application: Callable[[dict[str, Any], Any], Iterable[bytes]], environ: dict[str, Any]
    ) -> None:
        """Write what the application answers. Raises: Gone if the client has gone."""
        try:
            self._run(application, environ | {"wsgi.file_wrapper": _file_wrapper})
        except Gone:
            self.closes = True
            raise
        except Exception:
            logger.exception("Exception while serving %s", environ["PATH_INFO"])
            if not self._has_begun:
                self.write_error(InternalServerError("The server failed to answer."))
            self.closes = True

    def _run(self, application: Callable[..., Any], environ: dict[str, Any]) -> None:
        answer = application(environ, self.start)
        is_closed_when_sent = False
        try:
            if isinstance(answer, ReadOnlyFileBasedBuffer) and answer.prepare(self._length):
                if self._left is None:
                    self._left = answer.remain
                    self._headers.append(("Content-Length", str(answer.remain)))
                self.write(b"")
                if not self._is_head_request:
                    is_closed_when_sent = True
                    self._left -= answer.remain
                    self._outgoing.add_file(answer)
            else:
                for piece in answer:
                    if piece:
                        self.write(piece)
            self._finish()
        finally:
            if not is_closed_when_sent and hasattr(answer, "close"):
                answer.close()

    def start(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Take the status and the headers, as WSGI has it; return what writes the body."""
        self._status, self._headers = status, list(headers)
        self._left = self._length
        self.later = next((float(text) for name, text in headers if name.lower() == LATER), None)
        return self.write

    @property
    def _length(self) -> int | None:
        for name, value in self._headers:
            if name.lower() == "content-length":
                return int(value)
        return None

    def write(self, data: bytes) -> None:
        """Send a piece of the body, and before the first one the head."""
        if self.later is not None:
            return
        head = b""
        if not self._has_begun:
            head, self._has_begun = self._head(), True
        if self._is_head_request or not self._has_body:
            data = b""
        elif self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
        elif self._is_chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if pieces := [piece for piece in (head, data) if piece]:
            self._outgoing.add(*pieces)

    def _finish(self) -> None:
        if self.later is not None:
            return
        if not self._has_begun:
            self.write(b"")
        if self._is_chunked and not self._is_head_request:
            self._outgoing.add(b"0\r\n\r\n")
        elif self._left and not self._is_head_request and self._has_body:
            # The client waits for more.
            logger.warning("An answer is %s bytes shorter than its Content-Length", self._left)
            self.closes = True

    @property
    def _has_body(self) -> bool:
        return not self._status.startswith(("1", "204", "304"))

    def _head(self) -> bytes:
        headers = self._headers
        if not self._has_body:
            headers = [item for item in headers if item[0].lower() != "content-length"]
        elif self._left is None:
            if self._knows_chunks:
                self._is_chunked = True
                headers.append(("Transfer-Encoding", "chunked"))
            else:
                self.closes = True
        if self.closes:
            headers.append(("Connection", "close"))
        elif not self._knows_chunks:
            headers.append(("Connection", "keep-alive"))
        lines = [f"HTTP/1.1 {self._status}", *[f"{name}: {value}" for name, value in headers]]
        return "\r\n".join([*lines, f"Date: {_date()}", "", ""]).encode("latin-1")


def _file_wrapper(file: Any, size: int = 8192) -> Iterable[bytes]:
    """Return the file for the main thread to send, or its chunks if reading it may block."""
    try:
        file.fileno()
    except (AttributeError, OSError):
        return FileWrapper(file, size)
    return ReadOnlyFileBasedBuffer(file, size)


_last_date = (0, "")


def _date() -> str:
    """Return the time in the form of HTTP; it is written once a second."""
    global _last_date
    now = int(time.time())
    if _last_date[0] != now:
        _last_date = (now, formatdate(now, usegmt=True))
    return _last_date[1]
