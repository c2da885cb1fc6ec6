"""The first `make serve` on a machine that has nothing of ours."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.with_postgres import free_port

from .builds import Build, check_out
from .client import Server, WrongAnswer

PATIENCE = 900  # seconds
# What installers remember on a machine, and what would change what `make serve` does.
_CACHES = ("UV_CACHE_DIR", "PIP_CACHE_DIR")
_LEFT_OUT = ("VAR_DIR", "DATABASE_URL", "SECRET_KEY", "MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")


def first_start(build: Build) -> float:
    """Return the seconds from `make serve` on a fresh checkout to the first answer."""
    with tempfile.TemporaryDirectory(prefix="registrar-bench-") as name:
        folder, port = Path(name), free_port()
        check_out(build.commit, folder / "source")
        environment = {key: value for key, value in os.environ.items() if key not in _LEFT_OUT}
        environment |= {cache: str(folder / cache) for cache in _CACHES}
        with (folder / "log").open("wb") as log:
            begin = time.perf_counter()
            serving = subprocess.Popen(
                ["make", "serve", f"PORT={port}"],
                cwd=folder / "source",
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                return _wait_for(serving, Server("127.0.0.1", port)) - begin
            except TimeoutError as error:
                raise SystemExit(f"{error}\n{(folder / 'log').read_text()[-2000:]}") from error
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(serving.pid, signal.SIGTERM)
                serving.wait()


def _wait_for(serving: subprocess.Popen, server: Server) -> float:
    """Return the time at which the server answers."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and serving.poll() is None:
        with contextlib.suppress(OSError, WrongAnswer), server.connect() as connection:
            connection.expect(server.request("/livez"))
            return time.perf_counter()
        time.sleep(0.05)
    raise TimeoutError("`make serve` did not start a server.")
