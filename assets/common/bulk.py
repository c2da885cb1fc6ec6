"""Insert any number of rows in one statement, on both databases.

Rows travel as one JSON parameter that the database takes apart. Django's ``bulk_create`` splits an
INSERT at 999 parameters on SQLite, and building model instances costs more than inserting them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import orjson
from django.db import connection, models

Row = Mapping[str, Any]


def insert(
    model: type[models.Model], rows: Sequence[Row], *, ignore_conflicts: bool = False
) -> None:
    """Insert `rows`, each a mapping of the same attribute names (``owner_id``, not ``owner``).

    Like ``bulk_create`` it runs no rule and sends no signal; besides, it fills in no default.
    With `ignore_conflicts`, rows that a unique constraint refuses are left out.
    """
    if not rows:
        return
    key = model._meta.pk.attname
    if key in rows[0]:
        # Of two transactions that insert the same keys, one waits for the other; in different
        # orders each would wait for the other, and the database would end one as a deadlock.
        rows = sorted(rows, key=itemgetter(key))
    by_attribute = {field.attname: field for field in model._meta.concrete_fields}
    fields = [by_attribute[name] for name in rows[0]]
    build = _sqlite if connection.vendor == "sqlite" else _postgresql
    with connection.cursor() as cursor:
        cursor.execute(*build(connection.ops.quote_name, model, fields, rows, ignore_conflicts))


def _sqlite(
    quote: Callable[[str], str],
    model: type[models.Model],
    fields: Sequence[models.Field],
    rows: Sequence[Row],
    ignore_conflicts: bool,
) -> tuple[str, list[str]]:
    verb = "INSERT OR IGNORE" if ignore_conflicts else "INSERT"
    columns = ", ".join(quote(str(field.column)) for field in fields)
    values = ", ".join(_sqlite_value(field) for field in fields)
    sql = (
        f"{verb} INTO {quote(model._meta.db_table)} ({columns}) "  # noqa: S608
        f"SELECT {values} FROM json_each(%s)"
    )
    payload = orjson.dumps(rows, default=_naive_utc, option=orjson.OPT_PASSTHROUGH_DATETIME)
    return sql, [payload.decode()]


def _sqlite_value(field: models.Field) -> str:
    value = f"json_extract(value, '$.{field.attname}')"
    # SQLite keeps a UUID as 32 hexadecimal digits.
    is_uuid = isinstance(getattr(field, "target_field", field), models.UUIDField)
    return f"REPLACE({value}, '-', '')" if is_uuid else value


def _naive_utc(value: Any) -> str:
    if isinstance(value, datetime):
        return str(value.astimezone(UTC).replace(tzinfo=None))
    raise TypeError(f"{type(value).__name__} cannot be inserted in bulk")


def _postgresql(
    quote: Callable[[str], str],
    model: type[models.Model],
    fields: Sequence[models.Field],
    rows: Sequence[Row],
    ignore_conflicts: bool,
) -> tuple[str, list[str]]:
    columns = ", ".join(quote(str(field.column)) for field in fields)
    values = ", ".join(f"r.{quote(field.attname)}" for field in fields)
    types = ", ".join(
        f"{quote(field.attname)} {getattr(field, 'target_field', field).rel_db_type(connection)}"
        for field in fields
    )
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({columns}) "  # noqa: S608
        f"SELECT {values} FROM json_to_recordset(%s::json) AS r({types})"
    )
    if ignore_conflicts:
        sql += " ON CONFLICT DO NOTHING"
    return sql, [orjson.dumps(rows).decode()]
