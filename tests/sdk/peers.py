"""How a test has another process do something: it asks, the process answers.

The process calls `answer`; the test holds the other end of the connection as a `Peer`. Both sides
import this file, so it needs nothing but the standard library.
"""

import json
import subprocess
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
# Seconds; far more than anything takes. A process that hangs fails its test, not the whole suite.
PATIENCE = 60


def answer(connection: Connection, functions: Mapping[str, Callable[..., Any]]) -> None:
    """Call the functions that the other side asks for, by name, until it hangs up."""
    with suppress(EOFError, ConnectionError), connection:
        while True:
            do, request = json.loads(connection.recv_bytes())
            try:
                reply = {"result": functions[do](**request)}
            except Exception as error:  # noqa: BLE001  every error is an answer
                reply = {"error": _described(error)}
            connection.send_bytes(_dumped(reply))


def _dumped(value: Any) -> bytes:
    """Return JSON: the other side sees plain values only."""
    return json.dumps(value, default=str).encode()


def _described(error: Exception) -> dict[str, Any]:
    return {
        "kind": type(error).__name__,
        "message": str(error),
        "status": getattr(error, "status_code", None),
        "key": getattr(error, "key", None),
    }


class Failed(Exception):
    """What a peer was asked for raised an error, of the class called `kind`."""

    def __init__(self, kind: str, message: str, status: int | None, key: Any) -> None:
        self.kind, self.message, self.status, self.key = kind, message, status, key
        super().__init__(f"{kind}: {message}")


class Peer:
    """A process that answers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ask(self, do: str, **request: Any) -> Any:
        """Return what the peer's function `do` returns; raise `Failed` when it raises."""
        try:
            self._connection.send_bytes(_dumped([do, request]))
            if not self._connection.poll(PATIENCE):
                self.close()  # an answer that comes late would be taken for the next one
                raise TimeoutError(f"no answer to {do} {request}")
            reply = json.loads(self._connection.recv_bytes())
        except (EOFError, ConnectionError) as error:
            raise RuntimeError(f"the peer has ended:\n{self.last_words()}") from error
        if "error" in reply:
            raise Failed(**reply["error"])
        return reply["result"]

    def last_words(self) -> str:
        return ""

    def close(self) -> None:
        self._connection.close()


class Child(Peer):
    """A peer of our own: `python -m module FD`, run at the root of the repository."""

    def __init__(
        self, python: Path, module: str, log: Path, environment: Mapping[str, str]
    ) -> None:
        ours, theirs = Pipe()
        super().__init__(ours)
        self._log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [python, "-m", module, str(theirs.fileno())],
                cwd=ROOT,
                env=dict(environment),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C is for the tests, which then hang up.
                start_new_session=True,
            )
        theirs.close()

    def last_words(self) -> str:
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        super().close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
