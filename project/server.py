"""The connections of a server process: a few threads that wait for all of them together.

A connection is an event of epoll that one thread takes: it receives what has come without waiting
for more, and answers a request once it is whole. The main thread accepts connections, and sends
what clients do not take at once. So a client that sends or reads slowly occupies a socket and a
buffer, but no thread, and no request passes from one thread to another. Besides:

- a client that is slower than `project.connections` permits is disconnected;
- a request that has no answer yet waits without a thread: the application is asked again;
- a large body is received only once the application admits its sender;
- when there are too many connections, the one that has been idle longest is closed.
"""

import contextlib
import math
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from .connections import Connection
from .requests import Limits

# Of clients that connect together, each process takes one at a time, so that all get some.
SECONDS_BETWEEN_ACCEPTS = 0.001

# Returns how many bytes a client may send, from the WSGI environment of its request.
Admit = Callable[[dict[str, Any]], int]
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Server:
    """Accepts the connections of some listening sockets, and answers their requests in threads.

    Attributes:
        admit: called in a thread that answers.
        after_request: called there after each answer.
        is_stopping: requests in progress are answered, and then their connections closed.
    """

    is_stopping = False
    _next_check = 0.0

    def __init__(
        self,
        application: Application,
        listeners: Iterable[socket.socket],
        *,
        limits: Limits,
        max_connections: int,
        admit: Admit,
        after_request: Callable[[], None],
    ) -> None:
        self.application, self.admit, self.after_request = application, admit, after_request
        self.limits, self.max_connections = limits, max_connections
        self.connections: dict[int, Connection] = {}
        self._listeners = {listener.fileno(): listener for listener in listeners}
        # What threads wait for, and what the main thread waits for.
        self._incoming, self._outgoing = select.epoll(), select.epoll()
        for number, listener in self._listeners.items():
            listener.setblocking(False)
            self._outgoing.register(number, select.EPOLLIN | select.EPOLLONESHOT)
        self._has_accepted: list[int] = []
        # Readable once the threads must end.
        self._end = os.eventfd(0)
        self._incoming.register(self._end, select.EPOLLIN)
        self._threads: list[threading.Thread] = []
        # Connections whose requests wait for an answer: when to ask for it again.
        self._waiting: dict[int, float] = {}
        self._has_waiting = os.eventfd(0, os.EFD_NONBLOCK)
        self.wake_by(self._has_waiting)

    def start(self, threads: int) -> None:
        for number in range(threads):
            thread = threading.Thread(target=self._work, name=f"requests-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        number = 0
        while number != self._end:
            for number, _ in self._incoming.poll(maxevents=1):
                if connection := self.connections.get(number):
                    connection.handle()

    def _accept(self, listener: socket.socket) -> None:
        try:
            accepted, address = listener.accept()
        except OSError:  # another process was faster, or no file is left
            return
        connection = Connection(self, accepted, _environ(listener, accepted, address))
        self.connections[connection.number] = connection
        self._incoming.register(connection.number, select.EPOLLIN | select.EPOLLONESHOT)
        if len(self.connections) > self.max_connections:
            idle = [found for found in list(self.connections.values()) if not found.is_busy]
            longest = min(idle, key=lambda found: found.last_activity, default=connection)
            longest.end_unless_active()

    # --- What a connection waits for -------------------------------------------------------------

    def await_client(self, connection: Connection, *, at_once: bool = False) -> None:
        """Have a thread handle the connection when the client has sent something, or at once."""
        events = select.EPOLLIN | select.EPOLLONESHOT | (select.EPOLLOUT if at_once else 0)
        with contextlib.suppress(OSError):  # it was closed meanwhile
            self._incoming.modify(connection.number, events)

    def await_reader(self, connection: Connection, *, anew: bool) -> None:
        """Have the main thread continue to send when the client has read something."""
        wait = self._outgoing.register if anew else self._outgoing.modify
        wait(connection.number, select.EPOLLOUT | select.EPOLLONESHOT)

    def await_no_reader(self, connection: Connection) -> None:
        self._outgoing.unregister(connection.number)

    def ask_again(self, connection: Connection, seconds: float) -> None:
        """Have a thread ask the application again, for a request that it did not answer."""
        self._waiting[connection.number] = time.monotonic() + seconds
        os.eventfd_write(self._has_waiting, 1)

    def _ask_due(self) -> None:
        now = time.monotonic()
        for number, due in list(self._waiting.items()):
            if due <= now or self.is_stopping:
                del self._waiting[number]
                if connection := self.connections.get(number):
                    self.await_client(connection, at_once=True)

    # --- The main thread -------------------------------------------------------------------------

    def wake_by(self, number: int) -> None:
        """Have `run_for` end early when this file has something to read."""
        self._outgoing.register(number, select.EPOLLIN | select.EPOLLET)

    def run_for(self, seconds: float) -> None:
        """Accept who connects, and send what clients take; return after at most `seconds`."""
        again, self._has_accepted = self._has_accepted, []
        due = min(list(self._waiting.values()), default=math.inf) - time.monotonic()
        seconds = SECONDS_BETWEEN_ACCEPTS if again else max(0, min(seconds, due))
        for number, _ in self._outgoing.poll(seconds, 100):
            if connection := self.connections.get(number):
                connection.send()
            elif listener := self._listeners.get(number):
                self._accept(listener)
                self._has_accepted.append(number)
        if self._waiting:
            self._ask_due()
        for number in again:
            with contextlib.suppress(OSError):  # it has stopped
                self._outgoing.modify(number, select.EPOLLIN | select.EPOLLONESHOT)

    def check(self) -> None:
        """Disconnect who takes too long; looks once a second, however often it is called."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + 1
        for connection in list(self.connections.values()):
            connection.check(now)

    def stop(self) -> None:
        """Accept no more connections."""
        self.is_stopping = True
        while self._listeners:
            number, listener = self._listeners.popitem()
            self._outgoing.unregister(number)
            listener.close()

    def close_idle(self) -> None:
        """Close the connections without a request in progress."""
        for connection in list(self.connections.values()):
            if not connection.is_busy:
                connection.end_unless_active()

    def end(self, patience: float = 1) -> None:
        """End the threads, of which each may take this many seconds, and all connections."""
        os.eventfd_write(self._end, 1)
        for thread in self._threads:
            thread.join(patience)
        for connection in list(self.connections.values()):
            connection.close()
        if not any(thread.is_alive() for thread in self._threads):
            self._incoming.close()
            self._outgoing.close()
            os.close(self._end)
            os.close(self._has_waiting)


def _environ(
    listener: socket.socket, connection: socket.socket, address: tuple[Any, ...]
) -> dict[str, Any]:
    """Return what the WSGI environments of a connection's requests have in common."""
    name, port = listener.getsockname()[:2]
    return {
        "SERVER_NAME": name,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": address[0],
        "REMOTE_PORT": str(address[1]),
        # `assets.common.connections` looks here whether the client still waits.
        "registrar.socket": connection,
    }
