"""What was recorded of an earlier version, and databases filled with it."""

import json
import lzma
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.loader import MigrationLoader

from assets.backups.rows import applied_migrations
from assets.backups.upgrading import migrate_to
from assets.common.db.another import another_database
from assets.immutable import install_triggers
from project.databases import sqlite

from .registry import Answer, lasting

Rows = dict[str, list[models.Model]]


class Recorded:
    """The files of one version in this folder."""

    def __init__(self, version: str) -> None:
        self.folder = Path(__file__).parent / version

    @cached_property
    def answers(self) -> dict[str, Answer]:
        """Return the status and the body of each path."""
        return json.loads(self._read("answers.json.xz"))["answers"]

    @cached_property
    def reads(self) -> list[str]:
        """Return the statements by which the version's server reads the rows, on PostgreSQL."""
        statements = json.loads(self._read("reads.json.xz"))
        # Inputs of tasks got other ids in 0022, which no answer has.
        return [sql.replace('SELECT "assets_taskinput"."id", ', "SELECT ") for sql in statements]

    def answer(self, path: str) -> Answer:
        """Return what was answered to a path, without what differs each time."""
        return lasting(*self.answers[path])

    def unpack_backup(self, folder: Path) -> Path:
        """Unpack the backup into `folder`; return the backup's own folder."""
        with tarfile.open(self.folder / "backup.tar.xz") as archive:
            archive.extractall(folder, filter="data")
        return folder / "backup"

    def make_sqlite(self, path: Path) -> dict[str, Any]:
        """Make the SQLite database at `path`; return the settings to open it by."""
        settings = sqlite(path)
        with closing(sqlite3.connect(path)) as database:
            database.executescript(self._read("database.sql.xz"))
        return settings

    def _read(self, name: str) -> str:
        return lzma.decompress((self.folder / name).read_bytes()).decode()

    @contextmanager
    def postgresql(self, path: Path) -> Iterator[dict[str, Any]]:
        """Make a database with the rows on the server of this run; yield its settings."""
        with new_database(connection.settings_dict) as settings:
            with another_database(self.make_sqlite(path)):
                applied, rows = _read()
            with another_database(settings):
                _write(applied, rows)
            yield settings


@contextmanager
def new_database(server: dict[str, Any], template: str = "template1") -> Iterator[dict[str, Any]]:
    """Create a database on a PostgreSQL server, as a copy of another one; yield its settings."""
    name = f"upgrade_{uuid4().hex}"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield {**server, "NAME": name}
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _read() -> tuple[list[str], Rows]:
    applied = applied_migrations()
    nodes = [tuple(name.split(".")) for name in applied]
    found = (
        MigrationLoader(connection).project_state(nodes).apps.get_models(include_auto_created=True)
    )
    return applied, {model._meta.label: list(model._base_manager.all()) for model in found}


def _write(applied: list[str], rows: Rows) -> None:
    found = migrate_to(applied).get_models(include_auto_created=True)
    with transaction.atomic():
        for model in found:
            model._base_manager.bulk_create(
                [model(**_values(row)) for row in rows[model._meta.label]]
            )
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), found):
            cursor.execute(statement)
    install_triggers()


def _values(row: models.Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
