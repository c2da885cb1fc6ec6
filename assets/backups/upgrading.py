"""Upgrades the rows of a backup that an earlier version made, without touching the registry.

They are inserted into a temporary SQLite database with the tables of that version. It is migrated,
and its rows are written as this version would have backed them up.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import TextIOBase
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import StateApps

from ..common.db.another import another_database
from .manifest import BackupError, Manifest
from .rows import applied_migrations, backed_up_models, read_tables, write_table


def is_of_earlier_version(manifest: Manifest) -> bool:
    """Return whether the backup has to be upgraded before it is restored.

    Raises:
        BackupError: the backup is of a later version, or this database is of another one.
    """
    known = {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}
    here, there = set(applied_migrations()), set(manifest.migrations)
    if later := sorted(there - known):
        raise BackupError(
            f"Registrar {manifest.version}, which made the backup, is later than this version: it "
            f"has the migrations {', '.join(later)}. Install that version or a later one, and "
            "restore the backup with it."
        )
    if different := sorted(here ^ known):
        raise BackupError(
            f"The database is not of this version: the migrations {', '.join(different)} differ. "
            "Run `manage.py migrate` on an empty database, then restore the backup."
        )
    return there != known


@contextmanager
def upgraded(manifest: Manifest, folder: Path, out: TextIOBase) -> Iterator[tuple[Manifest, Path]]:
    """Yield the manifest and the folder of the backup's rows, as this version has them.

    The folder is temporary and has no stored files. Progress is written to `out`.

    Raises:
        BackupError: the rows are not those of the version that the manifest names.
    """
    with TemporaryDirectory(prefix="registrar-restore-") as name:
        temporary = Path(name)
        (temporary / "rows").mkdir()
        with another_database(_fast_sqlite(temporary / "registrar.sqlite3")):
            out.write(f"Upgrading the rows of Registrar {manifest.version}\n")
            _read_all(manifest, folder, out)
            call_command("migrate", stdout=out)
            migrations = applied_migrations()
            tables = [write_table(model, temporary) for model in backed_up_models()]
        yield replace(manifest, migrations=migrations, tables=tables), temporary


def _fast_sqlite(path: Path) -> dict[str, Any]:
    """Return the settings of a database that need not survive a crash."""
    pragmas = "PRAGMA synchronous=OFF; PRAGMA cache_size=-64000;"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {"init_command": pragmas, "transaction_mode": "IMMEDIATE"},
    }


def _read_all(manifest: Manifest, folder: Path, out: TextIOBase) -> None:
    """Create the tables of the backup's version, and insert its rows."""
    models = backed_up_models(migrate_to(manifest.migrations))
    with transaction.atomic():
        read_tables(manifest, models, folder, out)


def migrate_to(migrations: Collection[str]) -> StateApps:
    """Apply these migrations to an empty database; return the models as of then."""
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    names = (name.partition(".") for name in migrations)
    needed = {node for app, _, name in names for node in graph.forwards_plan((app, name))}
    every = executor.migration_plan(graph.leaf_nodes())
    plan = [step for step in every if (step[0].app_label, step[0].name) in needed]
    return executor.migrate(None, plan=plan).apps
