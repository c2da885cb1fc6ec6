"""Rows as lines of JSON: the tables of a backup, and how their rows are read and written.

Equal rows have equal lines in any database: JSON keys are sorted and dates are in UTC. Rows are
processed in batches of a few thousand.
"""

import base64
import hashlib
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from functools import partial
from io import TextIOBase
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from django.apps import apps
from django.apps.registry import Apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.recorder import MigrationRecorder

from .manifest import BackupError, Manifest, Table, rows_path

BATCH = 2000
# Users can sign in and upload again, pending files have no row, and requests are repeated soon.
EXCLUDED_MODELS = {
    "sessions.session",
    "assets.upload",
    "assets.pendingfiles",
    "assets.loosefiles",  # as pending files were called until 0.2.0
    "assets.idempotencykey",
}
OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE


def backed_up_models(apps: Apps = apps) -> list[type[models.Model]]:
    """Return the models whose rows a backup has, including Django's.

    Args:
        apps: the models of another version, if not of this one.
    """
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed
        and not model._meta.proxy
        and model._meta.label_lower not in EXCLUDED_MODELS
    ]


def applied_migrations() -> list[str]:
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied)


@contextmanager
def snapshot() -> Iterator[None]:
    """Read everything in the block from one snapshot, without blocking writers."""
    if connection.vendor == "sqlite":
        # Not `atomic`, which would block writers: with a WAL, readers need no lock.
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
    """A digest of rows in any order: the sum of their hashes."""

    def __init__(self) -> None:
        self.rows = self._sum = 0

    def add(self, line: bytes) -> None:
        self.rows += 1
        self._sum += int.from_bytes(hashlib.sha256(line).digest())

    def __str__(self) -> str:
        return f"{self._sum % 2**256:064x}"


def _plain(value: Any) -> Any:
    """Return a JSON value for a type that orjson lacks; the field's `to_python` reads it."""
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | timedelta):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written to a backup")


def lines(model: type[models.Model], columns: Sequence[str]) -> Iterator[bytes]:
    """Yield the rows of the model as lines, with the values of the columns in this order."""
    by_attribute = {field.attname: field for field in model._meta.concrete_fields}
    floats = [
        place
        for place, column in enumerate(columns)
        if isinstance(by_attribute[column], models.FloatField)
    ]
    rows = model._base_manager.order_by("pk").values_list(*columns)
    for row in rows.iterator(chunk_size=BATCH):
        values = list(row)
        for place in floats:
            # JSON has no infinities.
            if values[place] is not None and not math.isfinite(values[place]):
                values[place] = str(values[place])
        yield orjson.dumps(values, default=_plain, option=OPTIONS)


def write_table(model: type[models.Model], folder: Path) -> Table:
    """Write the model's rows into the backup; return what was written."""
    whole, digest = hashlib.sha256(), Digest()
    columns = [field.attname for field in model._meta.concrete_fields]
    with rows_path(folder, model._meta.label_lower).open("xb") as file:
        for line in lines(model, columns):
            file.write(line)
            whole.update(line)
            digest.add(line)
    return Table(model._meta.label_lower, columns, digest.rows, whole.hexdigest(), str(digest))


def read_tables(
    manifest: Manifest, found: Collection[type[models.Model]], folder: Path, out: TextIOBase
) -> None:
    """Insert all rows of a backup into the tables of the models, without rules and defaults.

    Raises:
        BackupError: the backup has other tables or columns; or rows differ when read back.
    """
    by_label = {model._meta.label_lower: model for model in found}
    if different := by_label.keys() ^ {table.model for table in manifest.tables}:
        raise BackupError(f"These tables differ: {', '.join(sorted(different))}.")
    for table in manifest.tables:
        out.write(f"  {table.model}: {table.rows} rows\n")
        _read_table(by_label[table.model], table, folder)


def _read_table(model: type[models.Model], table: Table, folder: Path) -> None:
    by_attribute = {field.attname: field for field in model._meta.concrete_fields}
    if different := by_attribute.keys() ^ set(table.columns):
        raise BackupError(f"These columns of {table.model} differ: {', '.join(sorted(different))}.")
    fields = [by_attribute[name] for name in table.columns]
    converters = _converters(fields)
    quote = connection.ops.quote_name
    # The names in the statement are those of our models; the backup has none of them.
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} "  # noqa: S608
        f"({', '.join(quote(str(field.column)) for field in fields)}) "
        f"VALUES ({', '.join(['%s'] * len(fields))})"
    )
    with rows_path(folder, table.model).open("rb") as file, connection.cursor() as cursor:
        while batch := list(islice(file, BATCH)):
            cursor.executemany(sql, [_parameters(converters, line) for line in batch])
    found = digest_of(model, table.columns)
    if (found.rows, str(found)) != (table.rows, table.digest):
        raise BackupError(
            f"{table.model} has {found.rows} rows, which differ from the {table.rows} rows of the "
            "backup."
        )


# Fields whose values JSON and both databases spell alike.
_SPELT_ALIKE = (models.CharField, models.IntegerField, models.BooleanField, models.FileField)


def _converters(fields: Sequence[models.Field]) -> list[tuple[int, Callable[[Any], Any]]]:
    """Return the places of values that are not inserted as they are in a line, and what to do."""
    sqlite = connection.vendor == "sqlite"
    found: list[tuple[int, Callable[[Any], Any]]] = []
    for place, field in enumerate(fields):
        target = getattr(field, "target_field", field)
        if isinstance(target, models.UUIDField):
            found += [(place, _sqlite_uuid)] if sqlite else []
        elif isinstance(target, models.DateTimeField):
            found += [(place, _sqlite_datetime)] if sqlite else []
        elif not isinstance(target, _SPELT_ALIKE):
            found.append((place, partial(_prepared, field)))
    return found


def _sqlite_uuid(value: str) -> str:
    return value.replace("-", "")


def _sqlite_datetime(value: str) -> str:
    return value.replace("T", " ").rstrip("Z")


def _prepared(field: models.Field, value: Any) -> Any:
    return field.get_db_prep_save(field.to_python(value), connection)


def _parameters(converters: list[tuple[int, Callable[[Any], Any]]], line: bytes) -> list[Any]:
    values: list[Any] = orjson.loads(line)
    for place, convert in converters:
        if values[place] is not None:
            values[place] = convert(values[place])
    return values


def digest_of(model: type[models.Model], columns: Sequence[str]) -> Digest:
    digest = Digest()
    for line in lines(model, columns):
        digest.add(line)
    return digest


def reset_sequences() -> None:
    """Set the sequences of ids behind the highest restored ids."""
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), backed_up_models()):
            cursor.execute(sql)
