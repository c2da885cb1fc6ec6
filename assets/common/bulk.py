"""Insert any number of rows in one statement, on both databases."""

import json
from collections.abc import Sequence

from django.db import connection, models


def insert(rows: Sequence[models.Model], *, ignore_conflicts: bool = False) -> None:
    """Insert `rows`, all of one model, in one statement however many they are.

    With `ignore_conflicts`, rows that a unique constraint refuses are left out.

    Like ``bulk_create`` it runs no rule and sends no signal; unlike it, rows get no
    database-made primary key back.
    """
    if not rows:
        return
    if connection.vendor == "sqlite":
        _insert_from_json(rows, "INSERT OR IGNORE" if ignore_conflicts else "INSERT")
    else:
        type(rows[0])._base_manager.bulk_create(rows, ignore_conflicts=ignore_conflicts)


def _insert_from_json(rows: Sequence[models.Model], verb: str) -> None:
    # Django splits an INSERT at 999 parameters on SQLite; here the rows travel as one parameter.
    meta = type(rows[0])._meta
    fields = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    values = [
        [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
        for row in rows
    ]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(field.column) for field in fields)
    items = ", ".join(f"json_extract(value, '$[{index}]')" for index in range(len(fields)))
    table = quote(meta.db_table)
    sql = f"{verb} INTO {table} ({columns}) SELECT {items} FROM json_each(%s)"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(values, default=str)])
