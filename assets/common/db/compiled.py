"""Queries that are compiled once, and columns that leave as they are stored.

Django compiles a query to SQL each time that it runs, which costs more than running it: a request
that runs eight of them spends most of its time so.
"""

from collections.abc import Callable, Collection, Iterable
from functools import cache, cached_property, partial, update_wrapper
from typing import Any

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast

from .lookups import DeferredValues


class Compiled:
    """A function from values to a `values_list` query, which now runs it: it answers the rows.

    The function is called once, with a stand-in for the values, and must hand that to an `__any`;
    each run binds the values and nothing else.

    Of Django it leans on what a QuerySet itself does to run: `Query.get_compiler`, its `as_sql`,
    whose placeholders are in the order of its parameters, and its `get_converters`. Django promises
    none of them; they have been so since 1.8, and the tests hold each on both databases.
    """

    def __init__(self, build: Callable[[Any], QuerySet]) -> None:
        self.build = build
        update_wrapper(self, build)

    def __call__(self, values: Collection[Any] = ()) -> list[tuple[Any, ...]]:
        rows = self.told("{}", values)
        converters = self._statement[2] if self._statement else []
        if not converters or not rows:
            return rows
        columns: list[Any] = list(zip(*rows, strict=True))
        for position, converter in converters:
            columns[position] = map(converter, columns[position])
        return list(zip(*columns, strict=True))

    def told(self, question: str, values: Collection[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what SQL around the statement, which stands at its `{}`, tells about its rows.

        Nothing where the query can have no row, whatever the values are (`none()`).
        """
        if self._statement is None:
            return []
        sql, params, _ = self._statement
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                # Django reads each date in Python; the driver's own way is ten times as fast.
                cursor.adapters.register_loader("timestamptz", _dates())
            bound = [param(values) if callable(param) else param for param in params]
            cursor.execute(question.format(sql), bound)
            return cursor.fetchall()

    @cached_property
    def _statement(self) -> tuple[str, list[Any], list[tuple[int, Callable[[Any], Any]]]] | None:
        """The SQL, its parameters, of which those to come are callables, and what columns need."""
        compiler = self.build(DeferredValues()).query.get_compiler(connection=_never_opened())
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        found = compiler.get_converters([item[0] for item in compiler.select])
        converters: list[tuple[int, Callable[[Any], Any]]] = [
            (
                int(position),
                partial(converter, expression=expression, connection=compiler.connection),
            )
            for position, (steps, expression) in found.items()
            for converter in steps
        ]
        return str(sql), list(params), converters


@cache
def _never_opened() -> Any:
    """A connection that statements are compiled for; they outlive the thread that compiles."""
    return connection.copy()


@cache
def _dates() -> Any:
    # There on PostgreSQL only.
    from psycopg.types.datetime import TimestamptzLoader

    return TimestamptzLoader


class _StoredJSON(TextField):
    def from_db_value(self, value, expression, connection):
        return value and orjson.Fragment(value)


class _KeyText(TextField):
    def get_db_converters(self, connection):
        return [self.with_hyphens] if connection.vendor == "sqlite" else []

    def with_hyphens(self, value, expression, connection):
        return value and f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def key_text(column: Any) -> Cast:
    """A column of keys as a response spells them; Python compares UUIDs far slower than texts."""
    return Cast(column, _KeyText())


def key_columns(paths: Iterable[str]) -> list[Any]:
    """Columns at these paths, the key's as a response spells it."""
    return [key_text(path) if path == "pk" else path for path in paths]


def stored_json(column: str) -> Cast:
    """A JSON column as its stored text, which a response takes over without reading it."""
    return Cast(column, _StoredJSON())
