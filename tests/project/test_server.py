"""What a process of the server does with connections: slow clients, large bodies, odd requests."""

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from django.core.exceptions import RequestDataTooBig

from project import connections
from project.connections import Connection
from project.requests import Limits
from project.server import Server

SMALL = 100
PATIENCE = 60


def wait_until(happened: Callable[[], object]) -> None:
    """Return once it happened; fail the test if it never does."""
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.001)


class Served:
    """A server of one thread whose application echoes, in this process."""

    def __init__(self, most: int = 50) -> None:
        self.asked: list[str] = []
        self.finished = 0
        self.limit = 10**6
        # For how long the application has no answer to /later, and how often it was asked.
        self.patience, self.postponed = 0.3, 0
        self.size = 0
        self.clients: list[socket.socket] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = self.listener.getsockname()
        self.server = Server(
            self.application,
            [self.listener],
            limits=Limits(SMALL),
            max_connections=most,
            admit=self.admit,
            after_request=self.count,
        )
        self.server.start(1)
        self.running = True
        self.loop = threading.Thread(target=self.run)
        self.loop.start()

    def run(self) -> None:
        """Send what threads could not; the tests say when the time of a connection is over."""
        while self.running:
            self.server.run_for(0.02)

    def end(self) -> None:
        self.running = False
        self.loop.join()
        self.server.end()
        for connection in [self.listener, *self.clients]:
            connection.close()

    def admit(self, environ: dict) -> int:
        self.asked.append(environ["PATH_INFO"])
        with pytest.raises(RequestDataTooBig):
            environ["wsgi.input"].read()
        return self.limit if "HTTP_AUTHORIZATION" in environ else 0

    def count(self) -> None:
        self.finished += 1

    def application(self, environ: dict, start_response) -> list[bytes]:
        path = environ["PATH_INFO"]
        if path == "/fault":
            raise RuntimeError
        if path == "/short":
            start_response("200 OK", [("Content-Length", "50")])
            return [b"short"]
        if path == "/unsaid":
            start_response("200 OK", [])
            return iter([b"x" * 4000] * 1000)
        if path == "/file":
            file = tempfile.TemporaryFile()  # noqa: SIM115  closed by the server
            file.truncate(self.size)
            start_response("200 OK", [("Content-Length", str(self.size))])
            return environ["wsgi.file_wrapper"](file, 8192)
        try:
            body = environ["wsgi.input"].read()
        except RequestDataTooBig:
            start_response("413 Content Too Large", [("Content-Length", "0")])
            return []
        if path == "/later" and environ.get("registrar.waited", 999) < self.patience:
            self.postponed += 1
            start_response("200 OK", [("X-Registrar-Later", "0.05")])
            return [b"nothing yet"]
        if path == "/peer":
            path = str(environ["registrar.socket"].getpeername()[1])
        text = f"{path} {environ.get('CONTENT_LENGTH', 0)} {len(body)}".encode()
        start_response("200 OK", [] if path == "/stream" else [("Content-Length", str(len(text)))])
        return iter([text])

    def connect(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(self.address, timeout=PATIENCE)
        self.clients.append(client)
        client.sendall(sent)
        return client

    def connection(self) -> Connection:
        """Return the newest connection, once the server has it."""
        wait_until(lambda: self.server.connections)
        return list(self.server.connections.values())[-1]


@pytest.fixture
def served() -> Iterator[Served]:
    found = Served()
    yield found
    found.end()


def head(path: str = "/", *headers: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: a", *headers, "", ""]).encode()


def answer(client: socket.socket, ends: bytes = b"") -> bytes:
    """Return what the server sends: until it closes, or until these bytes."""
    found = b""
    while not (ends and found.endswith(ends)) and (piece := client.recv(65536)):
        found += piece
    return found


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


SIGNED_IN = "Authorization: Token a"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (["Content-Length: 5"], b"12345", "5 5"),
        ([CHUNKED], chunked(b"123", b"45"), "5 5"),
        ([SIGNED_IN, "Content-Length: 5000"], b"x" * 5000, "5000 5000"),
        ([SIGNED_IN, "Content-Length: 500000"], b"x" * 500_000, "500000 500000"),
        ([SIGNED_IN, CHUNKED], chunked(*[b"x" * 1000] * 300), "300000 300000"),
    ],
    ids=["small", "small, chunked", "at once", "large", "large, chunked"],
)
def test_bodies_that_are_read(served, headers, body, expected):
    client = served.connect(head("/echo", *headers) + body)
    text = f"/echo {expected}".encode()
    assert answer(client, text).startswith(b"HTTP/1.1 200")
    # The connection serves the next request.
    client.sendall(head("/again", method="GET") + head("/and-again", method="GET"))
    assert answer(client, b"/and-again 0 0").count(b"HTTP/1.1 200") == 2
    assert served.asked == (["/echo"] if len(body) > SMALL else [])


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (["Content-Length: 1000000"], b""),
        (["Content-Length: 1000000", "Expect: 100-continue"], b""),
        (["Content-Length: 101"], b"x" * 101),
        ([CHUNKED], b"ffffff\r\n" + b"x" * 200),
        ([SIGNED_IN, "Content-Length: 1000001"], b""),
        ([SIGNED_IN, CHUNKED], chunked(*[b"x" * 20_000] * 60)[:-5]),
    ],
    ids=["announced", "expecting", "sent", "chunked", "admitted", "admitted, chunked"],
)
def test_bodies_that_are_not_read(served, headers, body):
    """The answer comes before the rest of the body, which is not waited for."""
    client = served.connect(head("/", *headers) + body)
    assert answer(client, b"\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_who_expects_to_go_on_is_shown_once_admitted(served):
    client = served.connect(head("/", SIGNED_IN, "Content-Length: 1000", "Expect: 100-continue"))
    assert answer(client, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"x" * 1000)
    assert answer(client, b"/ 1000 1000").startswith(b"HTTP/1.1 200")


def test_the_rest_of_a_refused_body_breaks_nothing(served):
    """The client sends all of it before it reads the answer, as most do."""
    client = served.connect(head("/", "Content-Length: 3000000"))
    for _ in range(30):
        client.sendall(b"x" * 100_000)
    assert answer(client).startswith(b"HTTP/1.1 413")


def test_a_line_of_chunks_that_does_not_end(served):
    client = served.connect(head("/", SIGNED_IN, CHUNKED) + b"1" * 200_000)
    assert answer(client, b"server)").startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "sent",
    [
        head("/", CHUNKED, "Content-Length: 5"),
        head("/", "Content-Length: 5", "transfer-encoding:chunked"),
        head("/", f"Content-Length: {'9' * 5000}"),
        head("http://[/"),
        head("/", "Content-Type: a/b; c*=a'b'c"),
        head("/", "Content-Type: a/b; c*=unknown''%41"),
        head("/", "Content-Type: a/b; charset*=utf-8''%00"),
    ],
)
def test_heads_that_are_refused(served, sent):
    """What follows one is no request: where its body ends is not agreed on."""
    client = served.connect(sent + b"0\r\n\r\n" + head("/next", method="GET"))
    found = answer(client)
    assert found.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
    assert b"200 OK" not in found


def test_a_fault_while_asking_who_may_send(served):
    """No fault of ours leaves a connection that nothing ever closes."""
    served.server.admit = lambda environ: 1 / 0
    client = served.connect(head("/", "Content-Length: 5000") + b"x" * 5000)
    assert answer(client, b"\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_slow_clients_hold_no_thread(served):
    """There is one thread, and forty clients that have begun something."""
    served.size = 64 * 1024**2
    begun = [
        head("/", "Content-Length: 50") + b"x",
        head("/", SIGNED_IN, "Content-Length: 5000") + b"x",
        head("/file", method="GET"),
        b"GET / HTTP/1.1\r\nHost:",
    ]
    for sent in begun * 10:
        served.connect(sent)
    assert answer(served.connect(head(method="GET")), b"/ 0 0").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("sent", "seconds", "expected"),
    [
        (b"", connections.IDLE_SECONDS, b""),
        (b"GET / HTTP/1.1\r\nHost:", connections.HEAD_SECONDS, b" 408 "),
        (head("/", "Content-Length: 50") + b"x", connections.WINDOW_SECONDS, b" 408 "),
    ],
    ids=["silent", "head", "body"],
)
def test_who_takes_too_long_is_cut_off(served, sent, seconds, expected):
    client = served.connect(sent)
    connection = served.connection()
    wait_until(lambda: not sent or connection.request is not None)
    now = time.monotonic()
    connection.check(now)
    connection.check(now + seconds - 1)
    assert not connection.is_late
    connection.check(now + seconds + 1)
    assert expected in answer(client)[:20]


def test_a_reader_that_does_not_read_is_cut_off(served):
    served.size = 64 * 1024**2
    client = served.connect(head("/file", method="GET"))
    connection = served.connection()
    wait_until(lambda: connection.outgoing.size)
    now = time.monotonic()
    windows = count(1)

    def is_cut_off() -> bool:
        """Let another window pass: the buffers of the system take some bytes, then none."""
        connection.check(now + next(windows) * (connections.WINDOW_SECONDS + 1))
        time.sleep(0.01)
        return connection.is_closed

    wait_until(is_cut_off)
    assert len(answer(client)) < 64 * 1024**2


def test_room_is_made_for_who_comes():
    served = Served(most=5)
    try:
        silent = [served.connect() for _ in range(5)]
        assert answer(served.connect(head(method="GET")), b"/ 0 0").startswith(b"HTTP/1.1 200")
        assert silent[0].recv(1) == b""
    finally:
        served.end()


def test_the_application_sees_the_connection(served):
    """So that it registers nothing for a client that has gone."""
    client = served.connect(head("/peer", method="GET"))
    ends = f"\r\n{client.getsockname()[1]} 0 0".encode()
    assert answer(client, ends).endswith(ends)


def test_heads_have_no_body(served):
    for path in ("/", "/stream", "/file"):
        client = served.connect(head(path, "Connection: close", method="HEAD"))
        found = answer(client)
        assert found.startswith(b"HTTP/1.1 200")
        assert found.endswith(b"\r\n\r\n")


def test_an_answer_of_unknown_length(served):
    """It comes in pieces, and the next request on the same connection is answered."""
    client = served.connect(head("/unsaid", method="GET"))
    found = answer(client, b"\r\n0\r\n\r\n")
    assert found.count(b"\r\nfa0\r\n" + b"x" * 4000) == 1000
    client.sendall(head("/again", method="GET"))
    assert answer(client, b"/again 0 0").startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("path", "headers", "stays"),
    [("/", ["Connection: keep-alive"], True), ("/", [], False), ("/unsaid", [], False)],
    ids=["who stays", "who goes", "unknown length"],
)
def test_clients_of_http_1_0(path, headers, stays, served):
    """Such as nginx, unless it is configured otherwise; they know no chunks."""
    sent = head(path, *headers, method="GET").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    client = served.connect(sent)
    found = answer(client, b"/ 0 0" if stays else b"")
    assert b"chunked" not in found
    assert (b"Connection: keep-alive" in found) == stays
    assert len(found) > (4_000_000 if path == "/unsaid" else 0)


@pytest.mark.parametrize(
    ("path", "status"), [("/fault", b" 500 "), ("/short", b" 200 ")], ids=["fault", "too short"]
)
def test_what_the_application_does_wrong_ends_the_connection(path, status, served):
    """Otherwise the client would wait for the rest, or take the next answer for it."""
    client = served.connect(head(path, method="GET") + head("/next", method="GET"))
    found = answer(client)
    assert status in found[:20]
    assert b"/next" not in found
    assert served.finished == 1


def test_a_server_that_stops_answers_what_is_under_way(served):
    slow = served.connect(head("/", "Content-Length: 50") + b"x" * 49)
    wait_until(lambda: served.connection().request is not None)
    served.server.stop()
    served.server.close_idle()
    slow.sendall(b"x")
    found = answer(slow)
    assert found.startswith(b"HTTP/1.1 200")
    assert b"Connection: close" in found
    assert served.finished == 1


# --- Requests that wait --------------------------------------------------------------------------


def test_a_request_waits_without_a_thread(served):
    """The server has one thread, and answers others meanwhile."""
    waiting = [served.connect(head("/later", "Content-Length: 3") + b"abc") for _ in range(5)]
    wait_until(lambda: served.postponed >= 5)
    assert answer(served.connect(head("/other", method="GET")), b"/other 0 0")
    for client in waiting:
        text = answer(client, b"/later 3 3")
        assert text.count(b"HTTP/1.1 200") == 1
        assert b"Later" not in text
    # Each was asked again and again, with its body.
    assert served.postponed > 10
    # The connection serves the next request.
    waiting[0].sendall(head("/again", method="GET"))
    assert answer(waiting[0], b"/again 0 0")


def test_the_next_request_waits_behind_it(served):
    client = served.connect(head("/later", method="GET") + head("/next", method="GET"))
    assert answer(client, b"/next 0 0").index(b"/later 0 0") < 200


def test_who_waits_is_busy(served):
    served.patience = PATIENCE
    client = served.connect(head("/later", method="GET"))
    wait_until(lambda: served.postponed)
    connection = served.connection()
    assert connection.is_busy
    for later in (0, 1000, 2000):
        connection.check(time.monotonic() + later)
    served.patience = 0
    assert answer(client, b"/later 0 0")


def test_a_server_that_stops_lets_no_one_wait(served):
    served.patience = PATIENCE
    client = served.connect(head("/later", method="GET"))
    wait_until(lambda: served.postponed)
    served.server.stop()
    assert answer(client).endswith(b"/later 0 0")


def test_who_hangs_up_while_waiting_is_closed(served):
    client = served.connect(head("/later", method="GET"))
    wait_until(lambda: served.postponed)
    client.close()
    wait_until(lambda: not served.server.connections)
