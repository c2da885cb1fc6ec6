"""Registrar under gunicorn, as project/gunicorn.py has it, on a free loopback port."""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.with_postgres import free_port

from .builds import NOW, Build
from .client import Server, WrongAnswer
from .machine import children_of

PATIENCE = 60  # seconds until the server answers
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Serving:
    """A running server.

    Attributes:
        pid: gunicorn's own process; its children are the workers.
        log: the file that has what the server says.
    """

    pid: int
    port: int
    log: Path

    def as_client(self, **headers: str) -> Server:
        """Return the server as a client with these headers comes to it; `_` stands for `-`."""
        return Server(HOST, self.port, {k.replace("_", "-"): v for k, v in headers.items()})

    @property
    def workers(self) -> list[int]:
        return children_of(self.pid)


@contextlib.contextmanager
def serving(
    folder: Path, build: Build = NOW, until: str = "/readyz", **settings: str
) -> Iterator[Serving]:
    """Serve the registry that the environment and `settings` name, once `until` answers."""
    port, log = free_port(), folder / "server.log"
    command = [build.python, "-m", "gunicorn", "-c", "project/gunicorn.py", "project.wsgi"]
    environment = os.environ | {"HOST": HOST, "PORT": str(port)} | settings
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=build.root, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    found = Serving(process.pid, port, log)
    try:
        _wait_for(found, process, until)
        yield found
    finally:
        process.terminate()
        process.wait()


def _wait_for(found: Serving, process: subprocess.Popen, path: str) -> None:
    server, deadline = found.as_client(), time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, WrongAnswer), server.connect() as connection:
            connection.expect(server.request(path))
            return
        time.sleep(0.02)
    raise SystemExit(f"the server did not start:\n{found.log.read_text(errors='replace')}")
