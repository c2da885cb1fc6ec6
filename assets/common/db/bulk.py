"""Inserts any number of rows with one statement, on both databases.

The rows are one JSON parameter, which the database expands. Django's ``bulk_create`` splits an
INSERT at 999 parameters on SQLite, and building model instances costs more than inserting them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
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
    rows = _ordered(rows, model._meta.pk.attname)
    by_attribute = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_attribute[name] for name in rows[0]]
    shared = {by_attribute[name]: value for name, value in (same or {}).items()}
    expand = _sqlite if connection.vendor == "sqlite" else _postgresql
    payload, values, source = expand(fields, rows)
    values += [f"%s::{_type(field)}" if expand is _postgresql else "%s" for field in shared]
    # The table of values comes first, because its parameter does.
    sql = (
        f"INSERT INTO {connection.ops.quote_name(model._meta.db_table)} "  # noqa: S608
        f"({_columns([*fields, *shared])}) "
        f"WITH r AS (SELECT * FROM {source}) SELECT {', '.join(values)} FROM r"
    )
    if ignore_conflicts:
        # Without a WHERE, SQLite parses ON as the condition of a join.
        sql += " WHERE true ON CONFLICT DO NOTHING"
    if returning:
        sql += f" RETURNING {_columns([by_attribute[name] for name in returning])}"
    params = [payload, *(field.get_db_prep_save(v, connection) for field, v in shared.items())]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if returning else []


def _columns(fields: Sequence[models.Field]) -> str:
    return ", ".join(connection.ops.quote_name(str(field.column)) for field in fields)


def _ordered(rows: Sequence[Row], key: str) -> Sequence[Row]:
    # Two transactions that insert the same keys in different orders would deadlock.
    return sorted(rows, key=lambda row: _comparable(row[key])) if key in rows[0] else rows


def _comparable(key: Any) -> Any:
    # Integers are in the same order and compare faster.
    return key.int if isinstance(key, UUID) else key


# Each returns the rows as JSON, the SQL of each column's value in `r`, and the SQL of `r` itself.


def _sqlite(fields: Sequence[models.Field], rows: Sequence[Row]) -> tuple[str, list[str], str]:
    payload = orjson.dumps(rows, default=_naive_utc, option=orjson.OPT_PASSTHROUGH_DATETIME)
    return payload.decode(), [_sqlite_value(field) for field in fields], "json_each(%s)"


def _sqlite_value(field: models.Field) -> str:
    value = f"json_extract(r.value, '$.{field.attname}')"
    # SQLite stores a UUID as 32 hexadecimal digits.
    is_uuid = isinstance(getattr(field, "target_field", field), models.UUIDField)
    return f"REPLACE({value}, '-', '')" if is_uuid else value


def _naive_utc(value: Any) -> str:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    raise TypeError(f"{type(value).__name__} cannot be inserted in bulk")


def _postgresql(fields: Sequence[models.Field], rows: Sequence[Row]) -> tuple[str, list[str], str]:
    quote = connection.ops.quote_name
    types = ", ".join(f"{quote(field.attname)} {_type(field)}" for field in fields)
    values = [f"r.{quote(field.attname)}" for field in fields]
    return orjson.dumps(rows).decode(), values, f"json_to_recordset(%s::json) AS j({types})"


def _type(field: models.Field) -> str:
    target: models.Field = getattr(field, "target_field", field)
    return str(target.rel_db_type(connection))
