"""Very many rows into the database, fast: COPY on PostgreSQL, `executemany` on SQLite.

Rows are tuples of what both databases read alike: text (of a key 32 hexadecimal digits, of a date
`moment`'s, of JSON its text), whole numbers and None. No rule is run.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction

from assets.common.db.fields import NameKeyField

Row = Sequence[Any]

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def moment(when: datetime) -> str:
    """Return a date as both databases keep it: in UTC, without saying so."""
    return str(when.astimezone(UTC).replace(tzinfo=None))


def plain(value: Any) -> Any:
    """Return a value as rows carry it."""
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, dict | list | tuple):
        return orjson.dumps(value).decode()
    return int(value) if isinstance(value, bool) else value


class Table:
    """The rows of one model on their way; columns that rows leave out get their default."""

    def __init__(self, name: str, *attributes: str) -> None:
        self.model = apps.get_model("assets", name)
        by_attribute = {field.attname: field for field in self.model._meta.concrete_fields}
        given = [by_attribute.pop(name) for name in attributes]
        others = [field for field in by_attribute.values() if _is_ours_to_fill(field)]
        quote = connection.ops.quote_name
        self._table = quote(self.model._meta.db_table)
        # What names are searched and ordered by follows from them.
        derived = [field for field in by_attribute.values() if isinstance(field, NameKeyField)]
        self._derived = [(attributes.index(field.of), field.derive) for field in derived]
        self._columns = [quote(str(field.column)) for field in (*given, *others, *derived)]
        self._defaults = tuple(plain(field.get_default()) for field in others)
        self._rows: list[Row] = []

    def add(self, *row: Any) -> None:
        """Remember a row; values are in the order of the table's attributes."""
        self._rows.append(row)

    def extend(self, rows: Iterable[Row]) -> None:
        self._rows.extend(rows)

    def write(self) -> None:
        """Write what was added, in the order of adding, and forget it."""
        rows, self._rows = self._rows, []
        if rows and (self._defaults or self._derived):
            rows = [
                (*row, *self._defaults, *(derive(row[place]) for place, derive in self._derived))
                for row in rows
            ]
        if rows:
            (self._execute_many if connection.vendor == "sqlite" else self._copy)(rows)

    def _execute_many(self, rows: list[Row]) -> None:
        columns, marks = ", ".join(self._columns), ", ".join("?" * len(self._columns))
        sql = f"INSERT INTO {self._table} ({columns}) VALUES ({marks})"  # noqa: S608
        connection.ensure_connection()
        connection.connection.executemany(sql, rows)

    def _copy(self, rows: list[Row]) -> None:
        lines = "\n".join("\t".join(map(_text, row)) for row in rows) + "\n"
        with connection.cursor() as cursor:
            sql = f"COPY {self._table} ({', '.join(self._columns)}) FROM STDIN"
            with cursor.cursor.copy(sql) as copy:
                copy.write(lines)


def _is_ours_to_fill(field: models.Field) -> bool:
    """Whether the database fills the column in by itself."""
    by_database = isinstance(field, models.AutoField) or field.generated or field.has_db_default()
    return not by_database


def _text(value: Any) -> str:
    if value is None:
        return r"\N"
    text = str(value)
    return text if text.isprintable() and "\\" not in text else text.translate(_ESCAPES)


def write_all(tables: Iterable[Table]) -> None:
    """Write all tables in this order, in one transaction."""
    with transaction.atomic():
        for table in tables:
            table.write()


def begin() -> None:
    """Let this connection write fast; nothing of it outlasts the connection."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            # Rows are right by the way they are made; a database that is half made is thrown away.
            for pragma in ("foreign_keys = OFF", "synchronous = OFF", "cache_size = -400000"):
                cursor.execute(f"PRAGMA {pragma}")


def finish() -> None:
    """Let sequences go on after the keys that rows brought, and the planner know the rows."""
    found = list(apps.get_app_config("assets").get_models())
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), found):
            cursor.execute(sql)
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")
