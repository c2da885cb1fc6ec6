"""Migrations of indexes that leave everybody at work: PostgreSQL makes them concurrently.

A migration of these says `atomic = False`. It can be run again after it has stopped half-way.
"""

import logging
from typing import Any

from django.db import DatabaseError, migrations
from django.db.migrations.operations.base import Operation

logger = logging.getLogger(__name__)


def _of_postgresql(schema_editor: Any) -> bool:
    return schema_editor.connection.vendor == "postgresql"


def _drop(schema_editor: Any, name: str) -> None:
    concurrently = "CONCURRENTLY" if _of_postgresql(schema_editor) else ""
    quoted = schema_editor.quote_name(name)
    schema_editor.execute(f"DROP INDEX {concurrently} IF EXISTS {quoted}")


class AddIndex(migrations.AddIndex):
    """Make an index while others read and write."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        # One that was begun and not ended is there, and of no use.
        _drop(schema_editor, self.index.name)
        options = {"concurrently": True} if _of_postgresql(schema_editor) else {}
        schema_editor.add_index(model, self.index, **options)

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        _drop(schema_editor, self.index.name)


class DropColumnIndex(migrations.AlterField):
    """Take from a foreign key the index of its own, which another index makes superfluous.

    Django would rebuild the table on SQLite, and lock it on PostgreSQL.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        column = model._meta.get_field(self.name).column
        for name in schema_editor._constraint_names(
            model, [column], index=True, unique=False, primary_key=False
        ):
            _drop(schema_editor, name)

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        for statement in schema_editor._field_indexes_sql(model, field):
            schema_editor.execute(statement)


class AddSearchIndex(Operation):
    """Index a column for `icontains` by its groups of three letters; on PostgreSQL only.

    Where its extension cannot be made, searching reads the whole table, and the log says so.
    """

    reversible = True

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def state_forwards(self, app_label, state) -> None:
        """Models need not know: the index changes no column."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        if not _of_postgresql(schema_editor):
            return
        try:
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError as error:
            logger.warning(
                "Search by %s of %s goes without an index: %s Let the database's owner CREATE "
                "EXTENSION pg_trgm, undo this migration and run it again.",
                self.field_name,
                self.model_name,
                error,
            )
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        name = self._name(schema_editor, app_label)
        _drop(schema_editor, name)
        quote = schema_editor.quote_name
        column = quote(model._meta.get_field(self.field_name).column)
        # The very expression that `icontains` is compiled to.
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {quote(name)} ON {quote(model._meta.db_table)} "
            f"USING gin (UPPER({column}::text) gin_trgm_ops)"
        )

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        if _of_postgresql(schema_editor):
            _drop(schema_editor, self._name(schema_editor, app_label))

    def _name(self, schema_editor: Any, app_label: str) -> str:
        return f"{self.model_name}_{self.field_name}_search"

    def describe(self) -> str:
        return f"Index {self.field_name} of {self.model_name} for searching"
