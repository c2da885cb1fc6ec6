"""A live server that the test processes of one run share: see `serve`, which it runs in."""

import fcntl
import json
import os
import subprocess
import sys
import time
from functools import cached_property
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

from .peers import PATIENCE, ROOT, Peer


class Server:
    """A lock on the server of `folder`: the first one starts it, and the last one stops it.

    Starting takes seconds, and continues in the background until a test needs the server.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen | None = None
        folder.mkdir(exist_ok=True)
        with (folder / "starting").open("wb") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            self._hold = (folder / "users").open("wb")
            # Waits for a server that is about to take its offer back.
            fcntl.flock(self._hold, fcntl.LOCK_SH)
            if not (folder / "running").exists():
                (folder / "running").touch()
                self._start()

    def _start(self) -> None:
        url = os.environ.get("DATABASE_URL", "")
        command = [sys.executable, "-m", "tests.sdk.serve", str(self._folder)]
        with (self._folder / "serve.log").open("wb") as output:
            self._process = subprocess.Popen(
                [*command, url] if url.startswith("postgres") else command,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # It ends by itself once the tests have, also after Ctrl-C.
                start_new_session=True,
            )

    @cached_property
    def _offer(self) -> dict[str, Any]:
        """What the server says of itself once it answers."""
        offer, deadline = self._folder / "server.json", time.monotonic() + PATIENCE
        while not offer.exists():
            if not (self._folder / "running").exists() or time.monotonic() > deadline:
                log = (self._folder / "serve.log").read_text(errors="replace")
                raise RuntimeError(f"the server did not start:\n{log}")
            time.sleep(0.05)
        return json.loads(offer.read_text())

    @property
    def url(self) -> str:
        return self._offer["url"]

    @property
    def tokens(self) -> dict[str, str]:
        """A token of each user."""
        return self._offer["tokens"]

    @property
    def environment(self) -> dict[str, str]:
        return self._offer["environment"]

    @property
    def home(self) -> Path:
        return Path(self._offer["home"])

    def connect_to_worker(self) -> Peer:
        """Connect to who builds functions and runs tasks."""
        worker = self._offer["worker"]
        return Peer(Client(worker["address"], authkey=worker["secret"].encode()))

    def release(self) -> None:
        self._hold.close()

    def wait(self) -> None:
        """Wait until the server has ended, if it is ours; release all holds first."""
        if self._process is not None:
            try:
                self._process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.terminate()
                self._process.wait(PATIENCE)
