"""A server that is killed and started again on the same port, with the same database and files."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from tests.bench.machine import children_of
from tests.with_postgres import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds until it answers

# Who dies: the master and its workers, all workers or one (others take their place), the master
# alone (its workers end by themselves).
WAYS = ("all", "all", "all", "workers", "worker", "master")


class Server:
    """gunicorn as project/gunicorn.py has it; `up` is set while it should answer."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        self.port, self.log = free_port(), home / "server.log"
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {**environment, "PORT": str(self.port), "WEB_CONCURRENCY": "2"}
        self._process: subprocess.Popen | None = None
        self.up = threading.Event()

    def start(self) -> None:
        """Start it until it serves, as a supervisor does.

        A worker that was just being started when its master was killed notices that only once it
        has started, and has the port until then.
        """
        length = self.log.stat().st_size if self.log.exists() else 0
        deadline = time.monotonic() + PATIENCE
        self._process = self._begun()
        while b" serves http" not in self.log.read_bytes()[length:]:
            if time.monotonic() > deadline:
                raise SystemExit(f"no start:\n{self.log.read_text(errors='replace')[-3000:]}")
            if self._process.poll() is not None:
                self._process = self._begun()
            time.sleep(0.02)
        self.up.set()

    def _begun(self) -> subprocess.Popen:
        with self.log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "project/gunicorn.py", "project.wsgi"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def kill(self, chance: random.Random) -> None:
        """Kill some or all of its processes, and see to it that it serves again."""
        assert self._process
        master, workers = self._process.pid, children_of(self._process.pid)
        way = chance.choice(WAYS)
        victims = {
            "all": [master, *workers],
            "workers": workers,
            "worker": workers[:1],
            "master": [master],
        }[way]
        if master in victims:
            self.up.clear()
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if master in victims:
            self._process.wait()
            self.start()

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait()
