"""Migration operations that do not block readers and writers, such as concurrent indexes.

Migrations that use them set `atomic = False`, and can be run again after an interruption.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import DatabaseError, connections, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

logger = logging.getLogger(__name__)


def _of_postgresql(schema_editor: Any) -> bool:
    return schema_editor.connection.vendor == "postgresql"


@contextmanager
def lock_timeout(connection: Any, limit: str) -> Iterator[None]:
    """Limit how long each statement in the block waits for a lock, on PostgreSQL; "0": no limit."""
    if connection.vendor != "postgresql":
        yield
        return

    def change(limit: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [limit])

    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        before = cursor.fetchone()[0]
    change(limit)
    try:
        yield
    finally:
        if connection.is_usable():
            change(before)


def _waiting(schema_editor: Any) -> AbstractContextManager[None]:
    """Wait as long as other transactions last, since a concurrent index makes none of them wait."""
    return lock_timeout(schema_editor.connection, "0")


def _drop(schema_editor: Any, name: str) -> None:
    concurrently = "CONCURRENTLY" if _of_postgresql(schema_editor) else ""
    quoted = schema_editor.quote_name(name)
    with _waiting(schema_editor):
        schema_editor.execute(f"DROP INDEX {concurrently} IF EXISTS {quoted}")


class ChangeTexts(migrations.SeparateDatabaseAndState):
    """Change names and help texts of fields and models, which no database has.

    Django would build the models that concern each field after each change. A hundred changes took
    half the time of a first start.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        super().__init__(state_operations=operations)

    def state_forwards(self, app_label: str, state: Any) -> None:
        # The models are built again when somebody asks for them.
        state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [self.state_operations], {}


class AddIndex(migrations.AddIndex):
    """Create an index concurrently on PostgreSQL."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if not self.allow_migrate_model(schema_editor.connection.alias, model):
            return
        # An interrupted migration leaves an invalid index.
        _drop(schema_editor, self.index.name)
        options = {"concurrently": True} if _of_postgresql(schema_editor) else {}
        with _waiting(schema_editor):
            schema_editor.add_index(model, self.index, **options)

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        _drop(schema_editor, self.index.name)


class DropColumnIndex(migrations.AlterField):
    """Drop the index of a foreign key that another index makes redundant.

    Django's AlterField would rebuild the table on SQLite and lock it on PostgreSQL.
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
    """Create a trigram index for `icontains` on a column; on PostgreSQL only.

    If the extension cannot be created, searches read the whole table, and a warning is logged.
    """

    reversible = True

    # The expression to which Django compiles the lookup.
    expression = "UPPER({}::text)"

    def __init__(self, model_name: str, field_name: str) -> None:
        self.model_name = model_name
        self.field_name = field_name

    def state_forwards(self, app_label, state) -> None:
        """Do nothing: the index is no part of the model."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        if not _of_postgresql(schema_editor):
            return
        try:
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DatabaseError as error:
            logger.warning(
                "Searches by %s of %s have no index: %s Ask the database's owner to run CREATE "
                "EXTENSION pg_trgm, then unapply this migration and apply it again.",
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
        with _waiting(schema_editor):
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
        return f"Index {self.field_name} of {self.model_name} for searches"


class AddFoldedSearchIndex(AddSearchIndex):
    """Create a trigram index on a column of folded texts, which are compared directly."""

    expression = "{}"


class RemoveSearchIndex(AddSearchIndex):
    """Drop the index that `AddSearchIndex` created."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        super().database_backwards(app_label, schema_editor, to_state, from_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state) -> None:
        super().database_forwards(app_label, schema_editor, to_state, from_state)

    def describe(self) -> str:
        return f"Remove the search index of {self.field_name} of {self.model_name}"


class AddColumn(migrations.AddField):
    """Add a column with a database default, without writing the rows.

    Django's AddField would rebuild the table on SQLite.
    """

    def database_forwards(self, app_label, schema_editor, from_state, to_state) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        with schema_editor.connection.cursor() as cursor:
            table = model._meta.db_table
            columns = schema_editor.connection.introspection.get_table_description(cursor, table)
        # An interrupted migration has added some of the columns.
        if field.column not in {column.name for column in columns}:
            BaseDatabaseSchemaEditor.add_field(schema_editor, model, field)


# Rows that are updated in one transaction; other writers proceed in between.
BATCH = 2_000


class FillColumns(Operation):
    """Compute columns from the text of another column, for rows in which they are blank.

    Args:
        of: the column to compute them from.
        columns: a function for each column by its name. Rows in which the first is blank are
            updated.
    """

    reversible = True

    def __init__(
        self, model_name: str, of: str, columns: Mapping[str, Callable[[str], str]]
    ) -> None:
        self.model_name, self.of, self.columns = model_name, of, columns

    def state_forwards(self, app_label, state) -> None:
        """Do nothing: the models stay the same."""

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
        """Do nothing: unapplying `AddColumn` removes the columns."""

    def describe(self) -> str:
        return f"Fill in {', '.join(self.columns)} of {self.model_name}"
