"""The SDK in one version, its clients, and the server that they talk to."""

from collections.abc import Callable
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from .peers import ROOT, Child, Peer
from .server import Server
from .specs import Specs
from .stock import Stock

# The API of the SDKs that speak an older dialect.
PREFIXES = {"0.50.0": "/sdk-0.50", "0.49.0": "/sdk-0.49"}


def environment_of(version: str) -> Path:
    """Return the environment that has this version of the SDK, if it is installed."""
    return ROOT / ".venv" / "sdk" / version


def is_installed(version: str) -> bool:
    # The mark that the environment's installation went through.
    return (environment_of(version) / ".installed").exists()


class Client:
    """One signed-in client: every method of `substra.Client`, answered with plain values."""

    def __init__(self, driver: Peer, name: str, token: str | None) -> None:
        self._driver, self.name, self.token = driver, name, token

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._driver.ask("call", name=self.name, method=method, args=args, kwargs=kwargs)

        return call

    def forget(self) -> None:
        """Let the SDK's client be collected as garbage."""
        self._driver.ask("forget", name=self.name)


class Sdk:
    """One version of the SDK beside a live server."""

    def __init__(self, version: str, server: Server, folder: Path) -> None:
        self.version, self.server = version, server
        self.url = f"{server.url}/api{PREFIXES.get(version, '')}"
        self._own = folder
        python = environment_of(version) / "bin" / "python"
        self.driver = Child(python, "tests.sdk.driver", folder / "sdk.log", server.environment)
        self._names = (f"client {number}" for number in count(1))
        self._clients: dict[str, Client] = {}
        self._seen: dict[Path, int] = {}

    @cached_property
    def specs(self) -> Specs:
        """Legal specs, with files of their own."""
        return Specs(self._own)

    @cached_property
    def stock(self) -> Stock:
        """Alice's assets that tasks are made of; tests do not change them."""
        return Stock(self.client("alice"), self.specs)

    @cached_property
    def worker(self) -> Peer:
        """Who builds functions and runs tasks."""
        return self.server.connect_to_worker()

    def connect(self, **settings: str) -> Client:
        """Make a client with these settings of `substra.Client`."""
        name = next(self._names)
        token = self.driver.ask("connect", name=name, url=self.url, **settings)
        return Client(self.driver, name, token)

    def client(self, user: str) -> Client:
        """Return the client of a user who signs in by token."""
        if user not in self._clients:
            self._clients[user] = self.connect(token=self.server.tokens[user])
        return self._clients[user]

    def folder_on_server(self, organization: str, name: str, **files: bytes) -> Path:
        """Make a folder of files where the organisation may register data in place."""
        folder = self.server.home / "servermedias" / organization / name
        folder.mkdir(parents=True)
        for file, content in files.items():
            (folder / file).write_bytes(content)
        return folder

    def news(self) -> str:
        """Return what the server and the SDK have logged since the last call."""
        found = []
        for log in (self.server.home / "server.log", self._own / "sdk.log"):
            with log.open("rb") as file:
                file.seek(self._seen.get(log, 0))
                text = file.read()
            self._seen[log] = self._seen.get(log, 0) + len(text)
            if text:
                found.append(f"-- {log.name}\n{text.decode(errors='replace')}")
        return "\n".join(found)

    def close(self) -> None:
        self.driver.close()
        if "worker" in self.__dict__:
            self.worker.close()
