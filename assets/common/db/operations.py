"""Migrations of indexes that leave everybody at work: PostgreSQL makes them concurrently.

A migration of these says `atomic = False`. It can be run again after it has stopped half-way.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.db import DatabaseError, connections, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
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

    # The very expression that the lookup is compiled to.
    expression = "UPPER({}::text)"

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
        schema_editor.execute(
            f"CREATE INDEX CONCURRENTLY {quote(name)} ON {quote(model._meta.db_table)} "
            f"USING gin ({self.expression.format(column)} gin_trgm_ops)"
        )

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        if _of_postgresql(schema_editor):
            _drop(schema_editor, self._name(schema_editor, app_label))

    def _name(self, schema_editor: Any, app_label: str) -> str:
        return f"{self.model_name}_{self.field_name}_search"

    def describe(self) -> str:
        return f"Index {self.field_name} of {self.model_name} for searching"


class AddFoldedSearchIndex(AddSearchIndex):
    """Index a column of folded texts, which is compared as it is."""

    expression = "{}"


class RemoveSearchIndex(AddSearchIndex):
    """Remove what `AddSearchIndex` made."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        super().database_backwards(app_label, schema_editor, to_state, from_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        super().database_forwards(app_label, schema_editor, to_state, from_state)

    def describe(self) -> str:
        return f"Remove the search index of {self.field_name} of {self.model_name}"


class AddColumn(migrations.AddField):
    """Add a column with a default of the database, which no row needs to be written for.

    Django would rebuild the table on SQLite.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        with schema_editor.connection.cursor() as cursor:
            table = model._meta.db_table
            columns = schema_editor.connection.introspection.get_table_description(cursor, table)
        # A migration that was cut off has made some of them.
        if field.column not in {column.name for column in columns}:
            BaseDatabaseSchemaEditor.add_field(schema_editor, model, field)


# The number of rows that are filled in at once; others write in between.
BATCH = 2_000


class FillColumns(Operation):
    """Work out columns of the rows that have none yet, each from the text of another column.

    Args:
        of: the column that they are worked out from.
        columns: how each is worked out, by its name. The first is blank where none is yet.
    """

    reversible = True

    def __init__(
        self, model_name: str, of: str, columns: Mapping[str, Callable[[str], str]]
    ) -> None:
        self.model_name, self.of, self.columns = model_name, of, columns

    def state_forwards(self, app_label, state) -> None:
        """Models stay as they are."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        alias = schema_editor.connection.alias
        rows = model._base_manager.using(alias).order_by("pk").values_list("pk", self.of)
        empty = rows.filter(**{next(iter(self.columns)): ""})
        quote = schema_editor.quote_name
        assigned = ", ".join(f"{quote(name)} = %s" for name in self.columns)
        key = model._meta.pk
        statement = (
            f"UPDATE {quote(model._meta.db_table)} SET {assigned} "  # noqa: S608
            f"WHERE {quote(key.column)} = %s"
        )
        last = None
        while batch := list((empty.filter(pk__gt=last) if last else empty)[:BATCH]):
            last = batch[-1][0]
            params = [
                [
                    *(derive(text) for derive in self.columns.values()),
                    key.get_db_prep_value(pk, connections[alias]),
                ]
                for pk, text in batch
            ]
            with transaction.atomic(alias), schema_editor.connection.cursor() as cursor:
                cursor.executemany(statement, params)

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        """Leave the columns: what added them removes them."""

    def describe(self) -> str:
        return f"Fill in {', '.join(self.columns)} of {self.model_name}"
