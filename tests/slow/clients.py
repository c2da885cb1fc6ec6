"""Slow clients: sockets that say nothing, bodies that never end, answers that are barely read.

One thread drives them all, so that a thousand of them cost the machine next to nothing.
"""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

# Seconds between two bytes of a client that sends or reads.
PACE = 1.0
# What a reader takes at a time, and what its machine keeps for it.
SIP = 256
SMALLEST_BUFFER = 4096


@dataclass
class Client:
    """One slow client.

    Attributes:
        begins: what it sends at once.
        drips: what it sends again and again.
        reads: it takes its answer in sips.
    """

    begins: bytes = b""
    drips: bytes = b""
    reads: bool = False
    connection: socket.socket | None = field(default=None, repr=False)
    received: int = 0

    def connect(self, address: tuple[str, int]) -> None:
        self.connection = socket.socket()
        if self.reads:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALLEST_BUFFER)
        self.connection.settimeout(10)
        self.connection.connect(address)
        if self.begins:
            self.connection.sendall(self.begins)
        self.connection.setblocking(False)

    def act(self) -> None:
        """Send or read a little; forget the connection once the server has closed it."""
        if self.connection is None:
            return
        try:
            if self.drips:
                self.connection.send(self.drips)
            if self.reads:
                sip = self.connection.recv(SIP)
                self.received += len(sip)
                if not sip:
                    self.close()
        except BlockingIOError:
            pass
        except OSError:
            self.close()

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def silent() -> Client:
    """Return a client that connects and says nothing."""
    return Client()


def half_a_head() -> Client:
    """Return a client that sends its headers a byte at a time."""
    return Client(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ", drips=b"a")


def slow_body(path: str, announced: int, *headers: str, content_type: str) -> Client:
    """Return a client that announces a body and sends it a byte at a time."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {content_type}",
        f"Content-Length: {announced}",
        *headers,
    ]
    return Client("\r\n".join([*lines, "", ""]).encode(), drips=b"{")


def slow_reader(path: str, *headers: str) -> Client:
    """Return a client that asks for a file and reads it in sips."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    return Client("\r\n".join([*lines, "", ""]).encode(), reads=True)


@contextlib.contextmanager
def held(address: tuple[str, int], clients: list[Client]) -> Iterator[None]:
    """Connect all of them, and keep them going for the length of the block."""
    stop = threading.Event()

    def drive() -> None:
        while not stop.wait(PACE):
            for client in clients:
                client.act()

    driver = threading.Thread(target=drive, daemon=True)
    try:
        for client in clients:
            with contextlib.suppress(OSError):  # who is not let in holds nothing
                client.connect(address)
        driver.start()
        yield
    finally:
        stop.set()
        if driver.is_alive():
            driver.join()
        for client in clients:
            client.close()


def left(clients: list[Client]) -> int:
    """Return how many of them the server still holds."""
    count = 0
    with selectors.DefaultSelector() as selector:
        for client in clients:
            if client.connection is not None:
                selector.register(client.connection, selectors.EVENT_READ, client)
                count += 1
        for key, _ in selector.select(0):
            with contextlib.suppress(BlockingIOError, OSError):
                if not key.fileobj.recv(1, socket.MSG_PEEK):  # type: ignore[union-attr]
                    count -= 1
    return count


@dataclass
class Probe:
    """What somebody who is in no hurry to attack sees meanwhile: seconds of each answer."""

    name: str
    path: str
    headers: tuple[str, ...] = ()
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def ask(self, address: tuple[str, int], patience: float) -> None:
        """Ask once on a connection of its own."""
        begin = time.perf_counter()
        try:
            with socket.create_connection(address, timeout=patience) as connection:
                lines = [
                    f"GET {self.path} HTTP/1.1",
                    "Host: 127.0.0.1",
                    "Connection: close",
                    *self.headers,
                ]
                connection.sendall("\r\n".join([*lines, "", ""]).encode())
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
            if not answer.startswith(b"HTTP/1.1 200 "):
                self.failures.append(answer[:40].decode("latin-1"))
        except OSError as error:
            self.failures.append(type(error).__name__)
        self.seconds.append(time.perf_counter() - begin)

    def percentile(self, share: float) -> float:
        """Return the seconds in which this share of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
