"""Rows of other tables inside a row: JSON that the database writes and an answer includes.

So an asset takes one statement, and Python builds no object of what it contains. The JSON is made
by joining texts, which takes PostgreSQL less time than its own functions for objects.
"""

from typing import Any

from django.db.models import BooleanField, Func, IntegerField, JSONField, Subquery, UUIDField

from .compiled import StoredJSON

# SQLite stores keys without hyphens.
PARTS_OF_KEY = [(1, 8), (9, 4), (13, 4), (17, 4), (21, 12)]


class JSONText(Func):
    """A text of JSON: `template`, with the values of columns at its question marks.

    JSONText('?:{"kind":?}', "identifier", "kind") is an entry of an object.
    """

    output_field = StoredJSON()

    def __init__(self, template: str, *columns: Any) -> None:
        super().__init__(*columns)
        self.parts = [f"'{part}'" for part in template.split("?")]

    def as_sql(self, compiler, connection, *args, **extra):
        joined, params = [self.parts[0]], []
        for column, part in zip(self.source_expressions, self.parts[1:], strict=True):
            sql, more = compiler.compile(column)
            field = getattr(column.output_field, "target_field", column.output_field)
            joined += [f"COALESCE({_as_json(sql, field, connection.vendor)}, 'null')", part]
            params += more
        return " || ".join(part for part in joined if part != "''"), params


def _as_json(sql: str, field: Any, vendor: str) -> str:
    """Return the SQL of a column's value as JSON."""
    is_sqlite = vendor == "sqlite"
    if isinstance(field, BooleanField):
        return f"CASE WHEN {sql} THEN 'true' ELSE 'false' END"
    if isinstance(field, JSONField | IntegerField):
        return sql if is_sqlite else f"{sql}::text"
    if isinstance(field, UUIDField):
        text = " || '-' || ".join(f"substr({sql}, {begin}, {size})" for begin, size in PARTS_OF_KEY)
        return f"'\"' || {text if is_sqlite else f'{sql}::text'} || '\"'"
    return f"json_quote({sql})" if is_sqlite else f"to_json({sql})::text"


class JSONRows(Subquery):
    """The items of some rows, in their order, between two brackets."""

    output_field = StoredJSON()
    template = (
        "'%(begin)s' || COALESCE((SELECT group_concat(item, ',') FROM (%(subquery)s)), '')"
        " || '%(end)s'"
    )

    def __init__(self, rows: Any, item: Any, brackets: str = "[]") -> None:
        super().__init__(rows.values(item=item), begin=brackets[0], end=brackets[1])

    def as_postgresql(self, compiler, connection, **extra):
        template = "'%(begin)s' || array_to_string(ARRAY(%(subquery)s), ',') || '%(end)s'"
        return self.as_sql(compiler, connection, template=template, **extra)
