"""A server that speaks the protocol of runners, remembers what it was sent, and fails on demand."""

import hashlib
import json
import re
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

TOKEN = "5e" * 20
# What a request can meet instead of an answer.
CUT = "cut"  # the connection ends without an answer
HALF = "half"  # the body, or the answer, ends in the middle
HTML = "html"  # a page of somebody else between the two
LATE = "late"  # the request is carried out, and the connection ends without an answer


@dataclass
class StandIn:
    """What the server knows. Tests put jobs and files in, and read what arrived.

    Attributes:
        waiting: the jobs that the next claims get.
        files: the content of downloads, by path.
        faults: what the next requests meet whose method and path match, once each.
        stops: why jobs have to stop, by key.
        ended: the report that each job ended with: its name and its body.
        models: identifier and content, by job and key.
        steps: the steps reported before the end, by job.
    """

    expires_in: float = 60
    waiting: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[tuple[str, str, Any]] = field(default_factory=list)
    stops: dict[str, str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    leased: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: dict[str, tuple[str, Any]] = field(default_factory=dict)
    received: dict[str, bytes] = field(default_factory=lambda: defaultdict(bytes))
    models: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    steps: dict[str, dict[str, int]] = field(default_factory=dict)
    claims: list[dict[str, Any]] = field(default_factory=list)
    polling: int = 0  # claims that wait for work
    requests: Counter[str] = field(default_factory=Counter)
    token: str = TOKEN
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def add(self, **job: Any) -> str:
        """Let a job wait, and return the key that it has when it is claimed."""
        full = {
            "key": str(uuid4()),
            "kind": "task",
            "function": None,
            "task": {"key": str(uuid4()), "rank": 3, "compute_plan_key": str(uuid4())},
            "inputs": [],
            "outputs": [],
            "fake_samples": None,
            "expires_in": self.expires_in,
            **job,
        }
        with self.lock:
            self.waiting.append(full)
        return full["key"]

    def add_function(self, job: str, archive: bytes) -> dict[str, Any]:
        """Let the archive be the function's of every job; return the function for a job."""
        self.files["/function/"] = archive
        checksum = hashlib.sha256(archive).hexdigest()
        return {
            "key": str(uuid4()),
            "name": job,
            "checksum": checksum,
            "size": len(archive),
            "address": f"{self.url}/function/x/file/",
        }

    def add_input(self, kind: str, content: bytes, **values: Any) -> dict[str, Any]:
        """Return an input for a job, whose file can be downloaded."""
        key = values.setdefault("key", str(uuid4()))
        self.files[f"/files/{key}/"] = content
        return {
            "identifier": "input",
            "kind": kind,
            "multiple": False,
            "checksum": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            # As a server behind a proxy may call itself.
            "address": f"https://internal.example.org/files/{key}/",
            "path": None,
            "is_folder": False,
            **values,
        }

    def wait_for(self, reached, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, f"not reached: {self.ended} {self.requests}"
            time.sleep(0.01)


class Handler(BaseHTTPRequestHandler):
    """Answers by the state of the server's stand-in."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "Server"

    def _handle(self) -> None:
        state, path = self.server.state, urlsplit(self.path).path
        with state.lock:
            state.requests[f"{self.command} {path}"] += 1
            fault = next((f for f in state.faults if f[0] == self.command and f[1] in path), None)
            if fault:
                state.faults.remove(fault)
        what = fault[2] if fault else None
        body = self._read_body(what)
        if what in (CUT, HALF) and self.command != "GET":
            self.close_connection = True
        elif what == HTML:
            self._send(200, b"<html>Sign in to the network</html>", "text/html")
        elif isinstance(what, int):
            self._answer(what, {"detail": f"fault {what}"})
        elif self.headers["Authorization"] != f"Token {state.token}":
            self._answer(401, {"detail": "Invalid token."})
        elif what == CUT:
            self.close_connection = True
        else:
            with state.lock:
                status, answer = self._respond(path, body)
            if what == LATE:
                self.close_connection = True
            elif isinstance(answer, bytes):
                self._send_file(answer, is_cut=what == HALF)
            else:
                self._answer(status, answer)

    do_GET = do_POST = do_PUT = _handle

    def _read_body(self, what: Any) -> bytes:
        length = int(self.headers["Content-Length"] or 0)
        if what == HALF and self.command == "PUT":
            length //= 2
        return self.rfile.read(length)

    def _answer(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, content: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _send_file(self, content: bytes, *, is_cut: bool) -> None:
        begin = 0
        if found := re.fullmatch(r"bytes=(\d+)-", self.headers["Range"] or ""):
            begin = int(found[1])
            if begin >= len(content):
                self._answer(416, {"detail": "The range begins after the end."})
                return
        rest = content[begin:]
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: len(rest) // 2] if is_cut else rest)
        self.close_connection = self.close_connection or is_cut

    # --- What the protocol says ------------------------------------------------------------------

    def _respond(self, path: str, body: bytes) -> tuple[int, Any]:
        state = self.server.state
        if found := re.fullmatch(r"/api/runner/job/([^/]+)/function/", path):
            path = "/function/" if found[1] in state.leased else ""
        if self.command == "GET" and "/api/runner/" not in path:
            content = state.files.get(path)
            return (404, {"detail": "Not found."}) if content is None else (200, content)
        if path == "/api/runner/claim/":
            return 200, {"jobs": self._claim(json.loads(body))}
        if path == "/api/runner/renew/":
            return 200, {"jobs": {key: self._state_of(key) for key in json.loads(body)["jobs"]}}
        found = re.fullmatch(r"/api/runner/job/([^/]+)/(model/([^/]+)|\w+)/", path)
        if found is None or found[1] not in state.leased:
            return 404, {"detail": "No such job."}
        job, what, model = found.groups()
        if job in state.lost:
            return 409, {"detail": "The lease ran out."}
        if model:
            return self._model(path, job, model, body)
        return self._report(job, what, json.loads(body))

    def _claim(self, claim: dict[str, Any]) -> list[dict[str, Any]]:
        state, end = self.server.state, time.monotonic() + min(claim["wait"], 0.2)
        state.claims.append(claim)
        state.polling += 1
        state.lock.release()  # others go on while this one waits
        while not state.waiting and time.monotonic() < end:
            time.sleep(0.01)
        state.lock.acquire()
        state.polling -= 1
        jobs, state.waiting[:] = state.waiting[: claim["jobs"]], state.waiting[claim["jobs"] :]
        state.leased |= {job["key"]: job for job in jobs}
        return jobs

    def _state_of(self, job: str) -> dict[str, Any]:
        state = self.server.state
        if job in state.stops:
            return {"stop": state.stops[job]}
        return {"expires_in": state.expires_in}

    def _model(self, path: str, job: str, model: str, body: bytes) -> tuple[int, Any]:
        state = self.server.state
        if self.command == "GET":
            return 200, {"received": len(state.received[path])}
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        received = len(state.received[path])
        if int(query["offset"]) != received:
            return 409, {"detail": "Another offset.", "received": received}
        state.received[path] += body
        content = state.received[path]
        if len(content) < int(query["size"]):
            return 200, {"received": len(content)}
        assert hashlib.sha256(content).hexdigest() == query["checksum"]
        state.models[job, model] = (query["identifier"], content)
        return 201, {"key": model}

    def _report(self, job: str, what: str, body: dict[str, Any]) -> tuple[int, Any]:
        state = self.server.state
        if what == "steps":
            state.steps[job] = body["steps"]
        elif state.ended.setdefault(job, (what, body)) != (what, body):
            return 409, {"detail": "The job has ended."}
        return 200, {}

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves a stand-in on loopback, in threads."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.state = StandIn()
        self.state.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_arguments: Any) -> None:
        """Say nothing about clients that end in the middle."""
