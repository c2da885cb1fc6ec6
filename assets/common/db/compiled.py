"""Queries that are compiled to SQL once, and columns that reach the response as they are stored.

Django compiles a query each time that it runs, which costs more than running it.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cache, cached_property, partial, update_wrapper
from typing import Any, Generic, TypeVar, cast
from uuid import uuid4

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Model, QuerySet, TextField
from django.db.models.functions import Cast
from django.db.models.query import get_related_populators

from .lookups import DeferredValues

Row = TypeVar("Row", bound=Model)


class Compiled:
    """Wraps a function from values to a `values_list` query: a call returns the query's rows.

    The function is called once, with a `DeferredValues` that it passes to an `__any` lookup. Each
    call binds the values to the compiled statement.

    It relies on Django internals that a QuerySet itself uses: `Query.get_compiler`, `as_sql`, whose
    placeholders have the order of its parameters, and `get_converters`. They are undocumented and
    stable since Django 1.8; `tests/api/test_compiled.py` tests each on both databases.
    """

    def __init__(self, build: Callable[[Any], QuerySet]) -> None:
        self.build = build
        update_wrapper(self, build)

    def __call__(
        self, values: Collection[Any] = (), limit: int | None = None
    ) -> list[tuple[Any, ...]]:
        rows = self.run_within("{}" if limit is None else f"{{}} LIMIT {limit:d}", values)
        converters = self._statement[2] if self._statement else []
        if not converters or not rows:
            return rows
        columns: list[Any] = list(zip(*rows, strict=True))
        for position, converter in converters:
            columns[position] = map(converter, columns[position])
        return list(zip(*columns, strict=True))

    def run_within(self, sql: str, values: Collection[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of `sql` with the statement in place of its `{}`.

        Returns an empty list if the query has no rows whatever the values are (`none()`).
        """
        if self._statement is None:
            return []
        here: Any = connection
        if here.vendor == "postgresql":
            text, deferred = self._numbered
            return here.fetch(sql.format(text), [param(values) for param in deferred])
        statement, params, _ = self._statement
        with here.cursor() as cursor:
            bound = [param(values) if callable(param) else param for param in params]
            cursor.execute(sql.format(statement), bound)
            return cursor.fetchall()

    @cached_property
    def _numbered(self) -> tuple[str, list[Callable[[Collection[Any]], Any]]]:
        """The SQL for PostgreSQL, with `$1`, `$2` for deferred values, and these.

        Other values become a part of the statement, so that it is planned for them.
        """
        assert self._statement is not None  # noqa: S101  there is something to run
        sql, params, _ = self._statement
        deferred = [param for param in params if callable(param)]
        marks = [uuid4().hex for _ in deferred]
        found, operations = iter(marks), cast(Any, connection.ops)
        text = operations.compose_sql(sql, [next(found) if callable(p) else p for p in params])
        for number, mark in enumerate(marks, 1):
            text = text.replace(f"'{mark}'", f"${number}")
        return text, deferred

    @cached_property
    def _compiler(self) -> Any:
        return self.build(DeferredValues()).query.get_compiler(connection=_compile_connection())

    @cached_property
    def _statement(self) -> tuple[str, list[Any], list[tuple[int, Callable[[Any], Any]]]] | None:
        """The SQL, its parameters (callables if deferred), and (column, converter) pairs."""
        compiler = self._compiler
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        found = compiler.get_converters([item[0] for item in compiler.select])
        converters: list[tuple[int, Callable[[Any], Any]]] = [
            (
                int(position),
                _fragment
                if isinstance(expression.output_field, StoredJSON)
                else partial(step, expression=expression, connection=compiler.connection),
            )
            for position, (steps, expression) in found.items()
            for step in steps
        ]
        return sql, list(params), converters


class Instances(Compiled, Generic[Row]):
    """Wraps a function from values to a query of instances: a call returns them in a list.

    They are made as a QuerySet makes them, with `select_related`, `defer` and annotations. Besides
    what `Compiled` relies on, that is `klass_info`, `annotation_col_map` and
    `get_related_populators`.
    """

    build: Callable[[Any], QuerySet[Row]]

    def __init__(self, build: Callable[[Any], QuerySet[Row]]) -> None:
        super().__init__(build)

    def __call__(self, values: Collection[Any] = (), limit: int | None = None) -> list[Row]:  # type: ignore[override]
        if not (rows := super().__call__(values, limit)):
            return []
        model, own, names, related, annotated = self._parts
        found = []
        for row in rows:
            instance = model.from_db(DEFAULT_DB_ALIAS, names, row[own])
            for populator in related:
                populator.populate(row, instance)
            for name, position in annotated:
                setattr(instance, name, row[position])
            found.append(instance)
        return found

    def some(self, values: Collection[Any], limit: int) -> tuple[list[Row], int]:
        """Return the first instances and how many there are; counted only if there are more."""
        found = self(values, limit + 1)
        if len(found) <= limit:
            return found, len(found)
        [(count,)] = self._keys.run_within("SELECT COUNT(*) FROM ({}) counted", values)
        return found[:limit], count

    @cached_property
    def _keys(self) -> Compiled:
        return Compiled(lambda values: self.build(values).order_by().values_list("pk"))

    @cached_property
    def _parts(self) -> tuple[Any, slice, list[str], list[Any], list[tuple[str, int]]]:
        """The model, its columns in a row and their names, what sets related rows, annotations."""
        compiler = self._compiler
        info, select = compiler.klass_info, compiler.select
        own = slice(info["select_fields"][0], info["select_fields"][-1] + 1)
        names = [column[0].target.attname for column in select[own]]
        # The types are those of the next version of Django.
        related = get_related_populators(info, select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]
        return info["model"], own, names, related, [*compiler.annotation_col_map.items()]


class Rows(Compiled):
    """The columns of a model's rows: a call returns those of some keys; `first` is a query's page.

    The first column is the key.
    """

    def __init__(self, model: type[Model], *columns: Any) -> None:
        self.columns = columns
        self._all = model._default_manager.all()
        super().__init__(lambda keys: self._all.filter(pk__any=keys).values_list(*columns))

    def first(self, keys: QuerySet, limit: int, paths: Sequence[str]) -> Compiled:
        """Return the statement of the first rows of a query of keys: `columns`, and these paths.

        The database chooses the rows before it reads what belongs to them.
        """
        ordering = [path for path in keys.query.order_by if isinstance(path, str)]
        chosen = self._all.filter(pk__in=keys[:limit]).order_by(*ordering)
        ends = [key_text(path) if path == "pk" else path for path in paths]
        return Compiled(lambda _: chosen.values_list(*self.columns, *ends))


@cache
def _compile_connection() -> Any:
    """Return a connection that is never opened: statements outlive the thread that compiles."""
    return connection.copy()


class StoredJSON(TextField):
    """A text of JSON, which a response includes without parsing it."""

    def from_db_value(self, value, expression, connection):
        return _fragment(value)


def _fragment(text: str | None) -> orjson.Fragment | None:
    return orjson.Fragment(text) if text else None


class _KeyText(TextField):
    def get_db_converters(self, connection):
        return [self.with_hyphens] if connection.vendor == "sqlite" else []

    def with_hyphens(self, value, expression, connection):
        return value and f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def key_text(column: Any) -> Cast:
    """Return a column of keys as texts with hyphens, which Python compares faster than UUIDs."""
    return Cast(column, _KeyText())


def stored_json(column: str) -> Cast:
    """Return a JSON column as its stored text, which a response includes without parsing it."""
    return Cast(column, StoredJSON())
