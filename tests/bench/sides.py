"""Two builds that serve the same data set on one machine, to be measured in turns."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .builds import NOW, Build, base_build
from .client import Server
from .databases import Registry, registry
from .machine import Meter
from .serving import Serving, serving
from .world import ORGANIZATIONS, token_of

_COOKIE = """
import django
django.setup()
from tests.bench.pages import session_cookie
print(session_cookie())
"""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two builds, while it serves.

    Attributes:
        api: the server as a program of the first organisation comes to it.
        browser: the server as a signed-in user of the first organisation comes to it.
    """

    build: Build
    registry: Registry
    serving: Serving
    api: Server
    browser: Server

    def meters(self) -> tuple[Meter, Meter]:
        """Return new meters of the CPU time of the workers and of the database."""
        return Meter(self.serving.pid), Meter(self.registry.postmaster)


@contextlib.contextmanager
def sides(
    database: str, tasks: int, cache: Path | None, *, with_base: bool = True
) -> Iterator[list[Side]]:
    """Yield the builds, BASE first; they serve as long as the block."""
    builds = [base_build(), NOW] if with_base else [NOW]
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(_side(database, tasks, cache, build)) for build in builds]


@contextlib.contextmanager
def _side(database: str, tasks: int, cache: Path | None, build: Build) -> Iterator[Side]:
    with registry(database, tasks, cache, build) as filled:
        environment = {"DJANGO_SETTINGS_MODULE": "project.settings", **filled.environment}
        build.run("manage.py", "collectstatic", "--noinput", "--verbosity", "0", **environment)
        cookie = build.run("-c", _COOKIE, captured=True, **environment).strip()
        with serving(filled.folder, build, **filled.environment) as server:
            token = token_of(ORGANIZATIONS[0])
            accept = "application/json;version=0.0"
            yield Side(
                build,
                filled,
                server,
                server.as_client(Authorization=f"Token {token}", Accept=accept),
                server.as_client(Cookie=cookie, Accept="text/html"),
            )
