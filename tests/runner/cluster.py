"""A Dask cluster for the tests: a scheduler and two workers as processes on loopback.

Workers load this module: in it, an engine stands in for that of processes, so that what is tested
is how jobs travel, and no environment has to be made.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

from assets.runner.engines import EXECUTION_ERROR, EngineError, EngineOptions, Outcome
from tests.house.source import ROOT

PATIENCE = 60.0


class Processes:
    """Runs the function's script by this Python, without any sandbox."""

    name = "process"

    def __init__(self, options: EngineOptions) -> None:
        self.folder = options.folder

    def check(self):
        if (self.folder / "broken").exists():
            raise EngineError("There is no sandbox here.")

    def build(self, function, digest, limits, stop):
        return Outcome("BUILD_ERROR", f"{function.name} {digest}".encode())

    def run(self, folder, digest, limits, stop):
        command = [sys.executable, folder.function / folder.entry.script, f"@{folder.arguments}"]
        with (folder.path / "log").open("wb") as log:
            child = subprocess.Popen(command, cwd=folder.work, stdout=log, stderr=log)
        while child.poll() is None and not stop.wait(0.05):
            pass
        child.kill()
        error_type = EXECUTION_ERROR if child.wait() else ""
        return Outcome(error_type, (folder.path / "log").read_bytes())


def dask_setup(_worker) -> None:
    """Let this worker use the engine above; Dask calls this."""
    sys.modules["assets.runner.engines.process"] = SimpleNamespace(create=Processes)


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Yield the address of a new scheduler, and its process."""
    path = folder / "scheduler.json"
    options = ["--host", "127.0.0.1", "--port", "0", "--dashboard-address", "127.0.0.1:0"]
    options += ["--scheduler-file", path]
    # It is one of a cluster for all purposes: without this package.
    with _process(folder, "dask_scheduler", *options, cwd=folder) as process:
        yield _address(path), process


@contextmanager
def worker(folder: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the process of a worker for one job at once; it may end before the block."""
    options = [address, "--no-nanny", "--no-dashboard", "--nthreads", "1", "--host", "127.0.0.1"]
    options += ["--local-directory", str(folder), "--preload", "tests.runner.cluster"]
    with _process(folder, "dask_worker", *options) as process:
        yield process


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and what it started, as a machine that is switched off does."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def _process(
    folder: Path, module: str, *options: object, cwd: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{module}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.{module}", *map(str, options)],
            cwd=cwd,
            # A job is tried on one more worker than this.
            env={**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"},
            start_new_session=True,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        kill(process)


def _address(path: Path) -> str:
    """Return the address that the scheduler writes to the file once it is ready."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return json.loads(path.read_text())["address"]
        except (FileNotFoundError, json.JSONDecodeError):
            assert time.monotonic() < deadline, "the scheduler does not start"
            time.sleep(0.05)
