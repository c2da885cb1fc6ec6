"""The databases that are measured: filled with the data set, and kept for the next run if asked.

A registry is a folder: `var/` with SQLite's database and the stored files, `postgresql/` with a
cluster. PostgreSQL runs with durable settings, unlike for the tests, so that figures are honest.
"""

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests import with_postgres

from .builds import NOW, Build, run
from .world import SEED

DATABASES = ("sqlite", "postgresql")
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
}
# What the data set is made by: when it changes, what was kept is of no use.
_MAKERS = ("events.py", "plans.py", "rows.py", "stock.py", "world.py")


@dataclass(frozen=True, slots=True)
class Registry:
    """A filled registry that can be served.

    Attributes:
        environment: the variables that project/settings.py reads.
        postmaster: PostgreSQL's process, None with SQLite.
    """

    database: str
    tasks: int
    folder: Path
    environment: dict[str, str]
    postmaster: int | None = None


def is_available(database: str) -> bool:
    return database == "sqlite" or with_postgres.find_binaries() is not None


@contextlib.contextmanager
def registry(
    database: str, tasks: int, cache: Path | None = None, build: Build = NOW
) -> Iterator[Registry]:
    """Yield a registry of `tasks` tasks that lives as long as the block.

    With `cache`, the data set is kept there, and copied from there the next time.
    """
    with tempfile.TemporaryDirectory(prefix="registrar-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        kept = cache / _name_of(database, tasks, build.root) if cache else None
        if kept and kept.exists():
            _copy(kept, folder)
            with _running(database, tasks, folder) as found:
                yield found
            return
        _begin(database, folder)
        with _running(database, tasks, folder) as found:
            build.run("-m", "tests.bench.world", str(tasks), **found.environment)
            if not kept:
                yield found
                return
        _keep(folder, kept)
        with _running(database, tasks, folder) as found:
            yield found


@contextlib.contextmanager
def empty_registry(database: str) -> Iterator[Registry]:
    """Yield a registry without a table that lives as long as the block."""
    with tempfile.TemporaryDirectory(prefix="registrar-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user
        _begin(database, folder)
        with _running(database, 0, folder) as found:
            yield found


@contextlib.contextmanager
def django_without_database() -> Iterator[None]:
    """Set Django up for what makes requests, which uses the models, but no database."""
    with tempfile.TemporaryDirectory(prefix="registrar-bench-") as folder:
        os.environ |= {"DJANGO_SETTINGS_MODULE": "project.settings", "VAR_DIR": folder}
        os.environ |= {"SECRET_KEY": "bench", "DATABASE_URL": ""}
        import django

        django.setup()
        yield


def _name_of(database: str, tasks: int, root: Path) -> str:
    """Return what a kept data set is called: another schema or maker makes another one."""
    migration = max(path.stem for path in (root / "assets/migrations").glob("0*.py"))
    makers = b"".join((root / "tests/bench" / name).read_bytes() for name in _MAKERS)
    made = hashlib.sha256(makers).hexdigest()[:8]
    return f"{database}-{tasks}-{SEED}-{migration}-{made}"


def _copy(source: Path, target: Path) -> None:
    # Where the file system can share blocks until they change, this takes no time.
    run("cp", "-a", "--reflink=auto", f"{source}/.", target)


def _keep(folder: Path, kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    half = kept.with_suffix(".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir()
    _copy(folder, half)
    half.rename(kept)


def _binaries() -> Path:
    found = with_postgres.find_binaries()
    if found is None:
        raise SystemExit("PostgreSQL not found (install the package postgresql)")
    return found


def _begin(database: str, folder: Path) -> None:
    if database == "postgresql":
        (folder / "postgresql").mkdir()
        user = with_postgres.server_user()
        with_postgres.make_cluster(_binaries(), folder / "postgresql", **user)


@contextlib.contextmanager
def _running(database: str, tasks: int, folder: Path) -> Iterator[Registry]:
    environment = {"VAR_DIR": str(folder / "var"), "SECRET_KEY": "bench", "DATABASE_URL": ""}
    if database == "sqlite":
        yield Registry(database, tasks, folder, environment)
        return
    home, binaries = folder / "postgresql", _binaries()
    server, port = with_postgres.start_server(
        binaries, home, SETTINGS, cwd=home, **with_postgres.server_user()
    )
    try:
        with contextlib.suppress(with_postgres.Failure):  # it is there already
            with_postgres.make_database(binaries, port)
        environment["DATABASE_URL"] = with_postgres.url_of(port)
        yield Registry(database, tasks, folder, environment, server.pid)
    finally:
        with_postgres.stop_server(server)
