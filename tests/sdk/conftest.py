"""The SDK in every version, beside a live server each, and the people who use it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .peers import Peer
from .sdk import Client, Sdk, is_installed
from .server import Server
from .specs import Specs
from .stock import Stock

# The versions that must work in full; `test_older` has the ones before.
VERSIONS = ["1.0.0", "0.51.0"]


class Sdks:
    """The versions that this process has in use; each is opened once, or has failed to be."""

    def __init__(self, shared: Path, own: Path) -> None:
        self._shared, self._own = shared, own
        self._servers: dict[str, Server] = {}
        self._opened: dict[str, Sdk | Exception] = {}

    def launch(self, version: str, use: str = "") -> Server:
        """Have the version's server started, if it is not yet, without waiting for it."""
        name = f"{version}{use}"
        if name not in self._servers:
            self._servers[name] = Server(self._shared / f"sdk-{name}")
        return self._servers[name]

    def of(self, version: str, use: str = "") -> Sdk:
        """Return a version beside its server, or beside one of its own for some use."""
        name = f"{version}{use}"
        if name not in self._opened:
            folder = self._own / name
            folder.mkdir()
            try:
                self._opened[name] = Sdk(version, self.launch(version, use), folder)
            except Exception as error:  # noqa: BLE001  raised in every test that needs it
                self._opened[name] = error
        found = self._opened[name]
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        for sdk in self._opened.values():
            if isinstance(sdk, Sdk):
                sdk.close()
        for server in self._servers.values():
            server.release()
        # Only now: another process may wait for a server of its own that we have held.
        for server in self._servers.values():
            server.wait()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of other versions than `SDK_VERSIONS` lists; without it, none."""
    chosen = os.environ.get("SDK_VERSIONS", "").split()
    if not chosen:
        return
    others = [item for item in items if version_of(item) not in (None, *chosen)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def version_of(item: pytest.Item) -> str | None:
    """Return the version of the SDK that a test runs, if it runs one."""
    if not item.get_closest_marker("sdk"):
        return None
    return getattr(item, "callspec", None) and item.callspec.params.get("version")


def versions_of(items: list[pytest.Item]) -> list[str]:
    """Return the versions that these tests will ask for, the newest first."""
    found = {version for item in items if (version := version_of(item))}
    return sorted(found, reverse=True)


@pytest.fixture(scope="session")
def sdks(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sdks]:
    # The processes of one run share the servers; their own folders have one parent.
    folder = tmp_path_factory.getbasetemp()
    shared = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    opened = Sdks(shared, tmp_path_factory.mktemp("sdk"))
    for version in versions_of(request.session.items):
        if is_installed(version):
            opened.launch(version)
    yield opened
    opened.close()


@pytest.fixture(params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def use() -> str:
    """Tests whose server must have nothing of others say what they use it for."""
    return ""


@pytest.fixture
def sdk(version: str, sdks: Sdks, use: str) -> Sdk:
    if not is_installed(version):
        missing = f"the SDK {version} is not installed here: run `make sdk-venvs`"
        in_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
        (pytest.fail if in_ci else pytest.skip)(missing)
    found = sdks.of(version, use)
    found.news()  # what was logged before is no news to this test
    return found


@pytest.fixture
def alice(sdk: Sdk) -> Client:
    """Of MyOrg1MSP."""
    return sdk.client("alice")


@pytest.fixture
def victor(sdk: Sdk) -> Client:
    """Of MyOrg1MSP too, but only a viewer."""
    return sdk.client("victor")


@pytest.fixture
def bob(sdk: Sdk) -> Client:
    """Of MyOrg2MSP."""
    return sdk.client("bob")


@pytest.fixture
def carol(sdk: Sdk) -> Client:
    """Of MyOrg3MSP, to which nothing is ever permitted."""
    return sdk.client("carol")


@pytest.fixture
def specs(sdk: Sdk) -> Specs:
    return sdk.specs


@pytest.fixture
def stock(sdk: Sdk) -> Stock:
    return sdk.stock


@pytest.fixture
def worker(sdk: Sdk) -> Peer:
    return sdk.worker


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo):
    """Show what the server and the SDK have logged during a test that fails."""
    report = yield
    sdk = getattr(item, "funcargs", {}).get("sdk")
    if report.failed and sdk:
        report.sections.append(("What the server and the SDK say", sdk.news()))
    return report
