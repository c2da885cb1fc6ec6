"""A load client that takes little of the machine it shares with the server.

Plain HTTP/1.1 over sockets that stay open: requests are bytes that were made once, and of the
answers only status and length are read. Many clients are one thread that waits for all sockets.
"""

import json
import re
import select
import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .machine import median, quantile

_HEAD_END = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.I)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.I)
_PIECE = 1 << 18


class WrongAnswer(Exception):
    """The server answered something else than was expected; the text says what."""


@dataclass(slots=True)
class Answer:
    """One answer; a body that came in chunks is left as it came."""

    status: int
    head: bytes
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Server:
    """Where the server is, and with which headers a client comes to it."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"

    def request(self, path: str, method: str = "GET", body: bytes = b"", **headers: str) -> bytes:
        """Return the bytes of a request; headers are written with `_` for `-`."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}:{self.port}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body or method != "GET":
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + _HEAD_END + body

    def connect(self) -> "Connection":
        return Connection(self)


class Connection:
    """One client's connection; answers are read one after the other."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection((server.host, server.port), 600)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._begin()

    def _begin(self) -> None:
        self._received = bytearray()
        self._left = -1  # bytes of the body still to come; -1: the head is not whole
        self._length = 0
        self._chunked = False
        self.status = 0
        self.head = b""

    def send(self, request: bytes) -> None:
        self._begin()
        self.socket.sendall(request)

    def receive(self) -> bool:
        """Take in what has come; return whether the answer is whole."""
        data = self.socket.recv(_PIECE)
        if not data:
            raise WrongAnswer("the server closed the connection")
        self._received += data
        if self._left < 0:
            end = self._received.find(_HEAD_END)
            if end < 0:
                return False
            self.head = bytes(self._received[:end])
            self.status = int(self.head[9:12])
            self._chunked = _CHUNKED.search(self.head) is not None
            length = _LENGTH.search(self.head)
            self._length = int(length[1]) if length else 0
            self._left = self._length + end + len(_HEAD_END)
        if self._chunked:
            return self._received.endswith(_LAST_CHUNK)
        return len(self._received) >= self._left

    @property
    def closes(self) -> bool:
        """Whether the server ends the connection after this answer."""
        return _CLOSES.search(self.head) is not None

    @property
    def has_ended(self) -> bool:
        """Whether the server has closed the connection since its last answer."""
        waiting = select.poll()
        waiting.register(self.socket, select.POLLIN)
        return bool(waiting.poll(0))

    def ask(self, request: bytes) -> Answer:
        """Send a request and return its answer."""
        self.send(request)
        while not self.receive():
            pass
        end = len(self._received) if self._chunked else self._left
        body = bytes(self._received[self._left - self._length : end])
        return Answer(self.status, self.head, body)

    def expect(self, request: bytes, status: int = 200) -> Answer:
        """Send a request whose answer must have this status."""
        answer = self.ask(request)
        if answer.status != status:
            line = request.partition(b"\r\n")[0].decode()
            raise WrongAnswer(f"{line}: {answer.status} {answer.body[:300]!r}")
        return answer

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class Timing:
    """How long the requests of one client took, in milliseconds."""

    requests: int
    p50: float
    p95: float


def time_one(server: Server, request: bytes, seconds: float, fewest: int) -> Timing:
    """Ask with one client for some seconds, and at least `fewest` times within four times that."""
    taken: list[float] = []
    with server.connect() as connection:
        begin = time.perf_counter()
        while (spent := time.perf_counter() - begin) < seconds or (
            len(taken) < fewest and spent < 4 * seconds
        ):
            start = time.perf_counter()
            connection.send(request)
            while not connection.receive():
                pass
            taken.append(time.perf_counter() - start)
            _check(connection, request)
    return Timing(len(taken), median(taken) * 1000, quantile(taken, 0.95) * 1000)


def _check(connection: Connection, request: bytes) -> None:
    if connection.status != 200:
        line = request.partition(b"\r\n")[0].decode()
        raise WrongAnswer(f"{line}: {connection.status}")


def requests_per_second(
    server: Server, request: bytes, clients: int, seconds: float, rounds: int = 3
) -> float:
    """Ask with many clients at once; return the best of some rounds.

    Each round opens its connections anew: which worker gets which is for the system to choose, and
    in one round it may be most of them.
    """
    return max(ask_at_once(server, request, clients, seconds / rounds)[1] for _ in range(rounds))


def ask_at_once(server: Server, request: bytes, clients: int, seconds: float) -> tuple[int, float]:
    """Ask with many clients at once; return the number of answers, and of those a second.

    When the time is over, it waits for the answers that are on their way. Otherwise the server
    would compute them during the next measurement.
    """
    connections = [server.connect() for _ in range(clients)]
    answered, waiting = 0, len(connections)
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
        begin = time.perf_counter()
        for connection in connections:
            connection.send(request)
        while waiting:
            for key, _ in selector.select(1):
                if not key.data.receive():
                    continue
                _check(key.data, request)
                answered += 1
                if time.perf_counter() - begin < seconds:
                    key.data.send(request)
                else:
                    waiting -= 1
        spent = time.perf_counter() - begin
    for connection in connections:
        connection.close()
    return answered, answered / spent


def pages_of(server: Server, path: str) -> Iterator[tuple[str, list]]:
    """Follow a list as the SDK does; yield the path and the rows of each of its pages."""
    next_path: str | None = path
    while next_path:
        # Anew for each: the server does not wait for a client that takes its time with a page.
        with server.connect() as connection:
            answer = connection.expect(server.request(next_path)).json()
        yield next_path, answer["results"]
        next_path = answer["next"] and answer["next"].removeprefix(server.address)


def warm_up(server: Server, requests: Sequence[bytes], connections: int = 8) -> None:
    """Let every thread of the server see each request."""
    opened = [server.connect() for _ in range(connections)]
    for request in requests:
        for connection in opened:
            connection.send(request)
        for connection in opened:
            while not connection.receive():
                pass
    for connection in opened:
        connection.close()
