"""Insert any number of rows in one statement, on both databases.

Rows travel as one JSON parameter that the database takes apart. Django's ``bulk_create`` splits an
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
) -> None:
    """Insert `rows`, each a mapping of the same attribute names (``owner_id``, not ``owner``).

    Like ``bulk_create`` it runs no rule and sends no signal; besides, it fills in no default.
    `same` holds what all rows have in common, which is then sent and taken apart but once. With
    `ignore_conflicts`, rows that a unique constraint refuses are left out.
    """
    if not rows:
        return
    key = model._meta.pk.attname
    if key in rows[0]:
        # Of two transactions that insert the same keys, one waits for the other; in different
        # orders each would wait for the other, and the database would end one as a deadlock.
        rows = sorted(rows, key=lambda row: _comparable(row[key]))
    by_attribute = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_attribute[name] for name in rows[0]]
    shared = {by_attribute[name]: value for name, value in (same or {}).items()}
    take_apart = _sqlite if connection.vendor == "sqlite" else _postgresql
    payload, values, source = take_apart(fields, rows)
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in (*fields, *shared))
    values += [f"%s::{_type(field)}" if take_apart is _postgresql else "%s" for field in shared]
    # The table of values stands first, so that its parameter does.
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) "  # noqa: S608
        f"WITH r AS (SELECT * FROM {source}) SELECT {', '.join(values)} FROM r"
    )
    if ignore_conflicts:
        # SQLite takes the clause for the condition of a join unless there is a WHERE.
        sql += " WHERE true ON CONFLICT DO NOTHING"
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            [payload, *(field.get_db_prep_save(v, connection) for field, v in shared.items())],
        )


def _comparable(key: Any) -> Any:
    # Python compares UUIDs in Python; their numbers are in the same order.
    return key.int if isinstance(key, UUID) else key


# Each returns the rows as a text, the SQL of each column's value in `r`, and that of the table `r`.


def _sqlite(fields: Sequence[models.Field], rows: Sequence[Row]) -> tuple[str, list[str], str]:
    payload = orjson.dumps(rows, default=_naive_utc, option=orjson.OPT_PASSTHROUGH_DATETIME)
    return payload.decode(), [_sqlite_value(field) for field in fields], "json_each(%s)"


def _sqlite_value(field: models.Field) -> str:
    value = f"json_extract(r.value, '$.{field.attname}')"
    # SQLite keeps a UUID as 32 hexadecimal digits.
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
