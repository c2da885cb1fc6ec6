"""Rows as lines of JSON: which tables, how they are read, how they are written.

A line is the same for equal rows of any database: keys of JSON are sorted, dates are in UTC. Rows
are read and written a few thousand at a time.
"""

import base64
import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from .manifest import BackupError, Table, rows_path

BATCH = 2000
# Who is signed in, and files that wait for their form for a day at most: people do both again.
# Files that no row names are none of the backup's. Who sends a request again does so at once.
LEFT_OUT = {"sessions.session", "assets.upload", "assets.pendingfiles", "assets.idempotencykey"}
OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def kept_models() -> list[type[models.Model]]:
    """Every model with a table of its own whose rows a backup has, those of Django as well."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy and model._meta.label_lower not in LEFT_OUT
    ]


def applied_migrations() -> list[str]:
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied)


@contextmanager
def snapshot() -> Iterator[None]:
    """Let everything that is read inside be as of one moment; writers go on meanwhile."""
    if connection.vendor == "sqlite":
        # Not by `atomic`, which would take the writers' turn: readers of a WAL need none.
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


class Digest:
    """Of any number of rows in any order: the sum of their hashes."""

    def __init__(self) -> None:
        self.rows = self._sum = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self._sum += int.from_bytes(hashlib.sha256(line).digest())

    def __str__(self) -> str:
        return f"{self._sum % 2**256:064x}"


def _plain(value: Any) -> Any:
    """Say as JSON what orjson cannot; each field's `to_python` reads it again."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | timedelta):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no place in a backup")


def lines(model: type[models.Model]) -> Iterator[bytes]:
    """Yield every row of the model as a line."""
    fields = model._meta.concrete_fields
    floats = [place for place, field in enumerate(fields) if isinstance(field, models.FloatField)]
    rows = model._base_manager.order_by("pk").values_list(*(field.attname for field in fields))
    for row in rows.iterator(chunk_size=BATCH):
        values = list(row)
        for place in floats:
            # JSON has no word for these.
            if values[place] is not None and not math.isfinite(values[place]):
                values[place] = str(values[place])
        yield orjson.dumps(values, default=_plain, option=OPTIONS)


def write_table(model: type[models.Model], folder: Path) -> Table:
    """Write the model's rows into the backup, and say what was written."""
    whole, digest = hashlib.sha256(), Digest()
    with rows_path(folder, model._meta.label_lower).open("xb") as file:
        for line in lines(model):
            file.write(line)
            whole.update(line)
            digest.add(line)
    columns = [field.attname for field in model._meta.concrete_fields]
    return Table(model._meta.label_lower, columns, digest.rows, whole.hexdigest(), str(digest))


def read_table(table: Table, folder: Path) -> None:
    """Insert the rows of a backup as they are: no rule is run, no default filled in.

    Raises:
        BackupError: the table holds other rows afterwards than the backup says.
    """
    model = apps.get_model(table.model)
    by_attribute = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_attribute[name] for name in table.columns]
    quote = connection.ops.quote_name
    # Nothing of the backup is part of the statement: the names are our models'.
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} "  # noqa: S608
        f"({', '.join(quote(str(field.column)) for field in fields)}) "
        f"VALUES ({', '.join(['%s'] * len(fields))})"
    )
    with rows_path(folder, table.model).open("rb") as file, connection.cursor() as cursor:
        while batch := list(islice(file, BATCH)):
            cursor.executemany(sql, [_parameters(fields, line) for line in batch])
    found = digest_of(model)
    if (found.rows, str(found)) != (table.rows, table.digest):
        raise BackupError(
            f"{table.model} has {found.rows} rows that differ from the {table.rows} of the backup."
        )


def _parameters(fields: list[models.Field], line: bytes) -> list[Any]:
    values = zip(fields, orjson.loads(line), strict=True)
    return [field.get_db_prep_save(field.to_python(value), connection) for field, value in values]


def digest_of(model: type[models.Model]) -> Digest:
    digest = Digest()
    for line in lines(model):
        digest.add(line)
    return digest


def reset_sequences() -> None:
    """Let the next id that the database chooses follow the highest that was restored."""
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), kept_models()):
            cursor.execute(sql)
