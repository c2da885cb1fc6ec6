"""Lookups whose statement does not grow with the number of values, on both databases."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import BooleanField, Field, ForeignObject, Func, Lookup, TextField, UUIDField


class Later:
    """Stands for the values of an `__any` that are not known yet (`common.statements`)."""


@ForeignObject.register_lookup
@Field.register_lookup
class AnyOf(Lookup):
    """``key__any=[...]``: like ``in``, with all the values in one parameter.

    ``IN`` takes a parameter a value: SQLite allows 32,766, and each length is another statement.
    """

    lookup_name = "any"

    def get_prep_lookup(self):
        return self.rhs

    def as_sql(self, compiler, connection):
        lhs, params = self.process_lhs(compiler, connection)
        # No value is part of the statement: `lhs` is a column, the values are its parameter.
        sql = f"{lhs} IN (SELECT value FROM json_each(%s))"  # noqa: S608
        return sql, [*params, self._param(json.dumps, connection)]

    def as_postgresql(self, compiler, connection):
        lhs, params = self.process_lhs(compiler, connection)
        field = self.lhs.output_field
        # The column's type: a serial column's own name is no type that one can cast to.
        db_type = getattr(field, "target_field", field).rel_db_type(connection)
        return f"{lhs} = ANY(%s::{db_type}[])", [*params, self._param(list, connection)]

    def _param(self, pack: Callable[[list], Any], connection) -> Any:
        """Return the values as a parameter, or the function that makes it of them later."""
        field = self.lhs.output_field

        if isinstance(getattr(field, "target_field", field), UUIDField):
            # Keys by the hundred: their text, which the database reads faster than Python checks.
            def param(values: Iterable[Any]) -> Any:
                texts = map(str, values)
                if pack is list:
                    return f"{{{','.join(texts)}}}"
                return pack([text.replace("-", "") for text in texts])

        else:

            def param(values: Iterable[Any]) -> Any:
                return pack([field.get_db_prep_value(value, connection) for value in values])

        return param if isinstance(self.rhs, Later) else param(self.rhs)


def _storable(text: str) -> str:
    """Replace NUL, which PostgreSQL does not take, by another character that no metadata holds."""
    return text.replace("\0", "\1")


class MetadataValue(Func):
    """The value under one key of a metadata column, or NULL; any text may be a key."""

    template = "(SELECT e.value FROM json_each(%(expressions)s) e WHERE e.key = %%s)"
    output_field = TextField()

    def __init__(self, column: str, key: str) -> None:
        super().__init__(column)
        self.key = _storable(key)

    def as_sql(self, compiler, connection, **extra):
        sql, params = super().as_sql(compiler, connection, **extra)
        return sql.replace("%%s", "%s"), [*params, self.key]

    def as_postgresql(self, compiler, connection, **extra):
        template = "(%(expressions)s ->> %%s)"
        sql, params = super().as_sql(compiler, connection, template=template, **extra)
        return sql.replace("%%s", "%s"), [*params, self.key]


def _without_spaces(sql: str) -> str:
    return f"REPLACE({sql}, ' ', '')"


class MetadataHas(Func):
    """True where some metadata entry has `key` and, when given, a value equal to or containing.

    Spaces count on neither side: the SDK removes every space from a metadata filter, also inside
    keys and values, so only such a comparison finds what a user asked for.
    """

    output_field = BooleanField()
    conditional = True
    function_of_vendor = {"sqlite": "json_each", "postgresql": "jsonb_each_text"}

    def __init__(self, column: str, key: str, comparison: str = "exists", value: str = "") -> None:
        super().__init__(column)
        self.key, self.comparison, self.value = _storable(key), comparison, _storable(value)

    def as_sql(self, compiler, connection, **extra):
        column, params = compiler.compile(self.source_expressions[0])
        tests = [f"{_without_spaces('e.key')} = %s"]
        params = [*params, self.key.replace(" ", "")]
        wanted = self.value.replace(" ", "")
        if self.comparison == "is":
            tests.append(f"{_without_spaces('e.value')} = %s")
            params.append(wanted)
        elif self.comparison == "contains":
            tests.append(f"UPPER({_without_spaces('e.value')}) LIKE UPPER(%s) ESCAPE '\\'")
            params.append(f"%{connection.ops.prep_for_like_query(wanted)}%")
        entries = self.function_of_vendor[connection.vendor]
        sql = f"EXISTS (SELECT 1 FROM {entries}({column}) e WHERE {' AND '.join(tests)})"  # noqa: S608
        return sql, params
