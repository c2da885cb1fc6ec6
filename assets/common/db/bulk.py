"""Inserts any number of rows with one statement, on both databases.

The rows are one JSON parameter, which the database expands. Django's ``bulk_create`` splits an
INSERT at 999 parameters on SQLite, and building model instances costs more than inserting them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, models

Row = Mapping[str, Any]


def insert(
    model: type[models.Model],
    rows: Sequence[Row],
    *,
    same: Row | None = None,
    ignore_conflicts: bool = False,
    returning: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert `rows`, mappings of the same attribute names (``owner_id``, not ``owner``).

    Like ``bulk_create`` it validates nothing and sends no signals; it also sets no defaults.

    Args:
        same: values that all rows share; they are sent once.
        ignore_conflicts: leave out rows that violate a unique constraint.
        returning: attributes to return of each row that was inserted.

    Raises:
        IntegrityError: a row violates a constraint.
    """
    if not rows:
        return []
    rows, same = _ordered(rows, model._meta.pk.attname), same or {}
    names = tuple(rows[0]), tuple(same), tuple(returning)
    sql = _statement(connection.vendor, model, *names, ignore_conflicts)
    fields = _fields(model)
    shared = [fields[name].get_db_prep_save(value, connection) for name, value in same.items()]
    return run(sql, [_payload(rows), *shared])


def insert_one(row: models.Model) -> None:
    """Insert the row of a new instance as `save` does, at a third of the cost; sends no signals.

    Raises:
        IntegrityError: the row violates a constraint.
    """
    fields = row._meta.concrete_fields
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    run(_statement_for_one(type(row)), values)
    row._state.adding, row._state.db = False, connection.alias


def run(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a statement, if it returns any; PostgreSQL prepares it."""
    here: Any = connection
    rows: list[tuple[Any, ...]]
    if here.vendor == "postgresql":
        rows = here.fetch(_numbered(sql), params)
    else:
        with here.cursor() as cursor:
            cursor.execute(sql, params)
            rows = cursor.fetchall()
    return rows


@cache
def _numbered(sql: str) -> str:
    first, *rest = sql.split("%s")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


@cache
def _statement_for_one(model: type[models.Model]) -> str:
    quote = connection.ops.quote_name
    fields = model._meta.concrete_fields
    marks = ", ".join(["%s"] * len(fields))
    return f"INSERT INTO {quote(model._meta.db_table)} ({_columns(fields)}) VALUES ({marks})"  # noqa: S608


@cache
def _fields(model: type[models.Model]) -> dict[str, models.Field]:
    return {field.attname: field for field in model._meta.concrete_fields}


@cache
def _statement(
    vendor: str,
    model: type[models.Model],
    names: tuple[str, ...],
    shared: tuple[str, ...],
    returning: tuple[str, ...],
    ignore_conflicts: bool,
) -> str:
    """Return the SQL; its parameters are the rows as JSON, then the values that they share."""
    by_attribute, quote = _fields(model), connection.ops.quote_name
    fields = [by_attribute[name] for name in names]
    same = [by_attribute[name] for name in shared]
    if vendor == "sqlite":
        values, source = [_sqlite_value(field) for field in fields], "json_each(%s)"
        values += ["%s"] * len(same)
    else:
        types = ", ".join(f"{quote(field.attname)} {_type(field)}" for field in fields)
        values = [f"r.{quote(field.attname)}" for field in fields]
        values += [f"%s::{_type(field)}" for field in same]
        source = f"json_to_recordset(%s::json) AS j({types})"
    # The table of values comes first, because its parameter does.
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({_columns([*fields, *same])}) "  # noqa: S608
        f"WITH r AS (SELECT * FROM {source}) SELECT {', '.join(values)} FROM r"
    )
    if ignore_conflicts:
        # Without a WHERE, SQLite parses ON as the condition of a join.
        sql += " WHERE true ON CONFLICT DO NOTHING"
    if returning:
        sql += f" RETURNING {_columns([by_attribute[name] for name in returning])}"
    return sql


def _columns(fields: Sequence[models.Field]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)


def _ordered(rows: Sequence[Row], key: str) -> Sequence[Row]:
    # Two transactions that insert the same keys in different orders would deadlock.
    return sorted(rows, key=lambda row: _comparable(row[key])) if key in rows[0] else rows


def _comparable(key: Any) -> Any:
    # Integers are in the same order and compare faster.
    return key.int if isinstance(key, UUID) else key


def _payload(rows: Sequence[Row]) -> str:
    if connection.vendor == "sqlite":
        option = orjson.OPT_PASSTHROUGH_DATETIME
        return orjson.dumps(rows, default=_naive_utc, option=option).decode()
    return orjson.dumps(rows).decode()


def _sqlite_value(field: models.Field) -> str:
    value = f"json_extract(r.value, '$.{field.attname}')"
    # SQLite stores a UUID as 32 hexadecimal digits.
    is_uuid = isinstance(getattr(field, "target_field", field), models.UUIDField)
    return f"REPLACE({value}, '-', '')" if is_uuid else value


def _naive_utc(value: Any) -> str:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    raise TypeError(f"{type(value).__name__} cannot be inserted in bulk")


def _type(field: models.Field) -> str:
    target: models.Field = getattr(field, "target_field", field)
    return str(target.rel_db_type(connection))
