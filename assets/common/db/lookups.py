"""Lookups and expressions that Django lacks, for both databases."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from operator import itemgetter
from typing import Any

from django.db.models import (
    BooleanField,
    CharField,
    Field,
    ForeignObject,
    Func,
    Lookup,
    TextField,
    UUIDField,
)
from django.db.models.expressions import Col, RawSQL

from ..text.folding import FOLDED, ICU, ORDER_KEY, folded, spellings


class DeferredValues:
    """Takes the place of the values of an `__any` lookup in a `Compiled` query.

    `values[0]` takes the place of the first of them only, for queries with several lookups.
    """

    def __init__(self, position: int | None = None) -> None:
        self._position = position

    def __getitem__(self, position: int) -> "DeferredValues":
        return DeferredValues(position)

    def chosen(self, values: Any) -> Any:
        """Return which of the values are meant."""
        return values if self._position is None else [values[self._position]]


@ForeignObject.register_lookup
@Field.register_lookup
class AnyOf(Lookup):
    """``key__any=[...]``: like ``in``, with all values in one parameter.

    ``IN`` takes one parameter for each value: SQLite allows 32,766, and each number of values is
    another statement.
    """

    lookup_name = "any"

    def get_prep_lookup(self):
        return self.rhs

    def as_sql(self, compiler, connection):
        # The values are a parameter, and `lhs` is a column.
        return self._sql("IN (SELECT value FROM json_each(%s))", json.dumps, compiler, connection)

    def as_postgresql(self, compiler, connection):
        # psycopg takes longer for an array of texts than for its text.
        pack = _array if self._has_keys else list
        return self._sql(f"= ANY(%s::{self._type(connection)}[])", pack, compiler, connection)

    def _sql(self, test: str, pack: Callable[[list], Any], compiler, connection):
        """Return the SQL; the parameter of deferred values is a function that makes it."""
        lhs, params = self.process_lhs(compiler, connection)
        convert: Callable[[Any], Any] = partial(
            self.lhs.output_field.get_db_prep_value, connection=connection
        )
        if self._has_keys:
            # Texts: the database parses them faster than Python makes UUIDs.
            convert = _hex if connection.vendor == "sqlite" else str

        def param(values: Iterable[Any]) -> Any:
            return pack([convert(value) for value in values])

        if isinstance(deferred := self.rhs, DeferredValues):
            return f"{lhs} {test}", [*params, lambda values: param(deferred.chosen(values))]
        return f"{lhs} {test}", [*params, param(self.rhs)]

    @property
    def _column(self) -> Field:
        """The column, or the one that it refers to: PostgreSQL cannot cast to `serial`."""
        field = self.lhs.output_field
        return getattr(field, "target_field", field)

    @property
    def _has_keys(self) -> bool:
        return isinstance(self._column, UUIDField)

    def _type(self, connection) -> str | None:
        return self._column.rel_db_type(connection)


@ForeignObject.register_lookup
@Field.register_lookup
class OnlyOf(AnyOf):
    """``key__only=[...]``: equals the one value, for which a lasting plan expects fewer rows."""

    lookup_name = "only"

    def as_sql(self, compiler, connection):
        return self._sql("= %s", itemgetter(0), compiler, connection)

    def as_postgresql(self, compiler, connection):
        return self._sql(f"= %s::{self._type(connection)}", itemgetter(0), compiler, connection)


def _hex(key: Any) -> str:
    return str(key).replace("-", "")


def _array(texts: list[str]) -> str:
    return f"{{{','.join(texts)}}}"


def _postgresql_folded(sql: str) -> str:
    """Return SQL that folds the case of a text in PostgreSQL.

    To upper case, since some letters have two lower cases, such as the Greek sigma.
    """
    return f"UPPER(NORMALIZE({sql}, NFC) COLLATE {ICU})"


@CharField.register_lookup
@TextField.register_lookup
class Has(Lookup):
    """``name__has="text"``: contains the text, ignoring case and Unicode normalisation.

    It compares the column `<name>_folded` if the model has one.
    """

    lookup_name = "has"

    def as_sql(self, compiler, connection):
        wanted = folded(self.rhs)
        if column := self._folded_column():
            sql, params = compiler.compile(column)
            return f"INSTR({sql}, %s) > 0", [*params, wanted]
        sql, params = self.process_lhs(compiler, connection)
        return f"INSTR({FOLDED}({sql}), %s) > 0", [*params, wanted]

    def as_postgresql(self, compiler, connection):
        if column := self._folded_column():
            sql, params = compiler.compile(column)
            return f"{sql} LIKE %s", [*params, self._pattern(folded(self.rhs), connection)]
        sql, params = self.process_lhs(compiler, connection)
        text, wanted = _postgresql_folded(f"{sql}::text"), _postgresql_folded("%s::text")
        return f"{text} LIKE {wanted}", [*params, self._pattern(self.rhs, connection)]

    def _pattern(self, text: str, connection) -> str:
        return f"%{connection.ops.prep_for_like_query(text)}%"

    def _folded_column(self) -> Col | None:
        """Return the column with the folded text, if the model has one."""
        if not isinstance(self.lhs, Col):
            return None
        name = f"{self.lhs.target.name}_folded"
        fields = {field.name: field for field in self.lhs.target.model._meta.concrete_fields}
        return Col(self.lhs.alias, fields[name]) if name in fields else None


class OrderKey(Func):
    """Orders a text for which the model has no `OrderField`."""

    output_field = TextField()
    function = ORDER_KEY

    def as_postgresql(self, compiler, connection, **extra):
        template = f"((%(expressions)s)::text COLLATE {ICU})"
        return super().as_sql(compiler, connection, template=template, **extra)


def _storable(text: str) -> str:
    """Replace NUL, which PostgreSQL refuses, by another character that metadata cannot have."""
    return text.replace("\0", "\1")


class MetadataValue(Func):
    """The value of one key of a metadata column, or NULL; the key can be any text."""

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
    """True where metadata has `key`, with a value that equals or contains `value` if given.

    Spaces are ignored on both sides: the SDK removes all spaces from a metadata filter, also those
    inside keys and values.
    """

    output_field = BooleanField()
    conditional = True
    function_of_vendor = {"sqlite": "json_each", "postgresql": "jsonb_each_text"}

    def __init__(self, column: str, key: str, comparison: str = "exists", value: str = "") -> None:
        super().__init__(column)
        self.key, self.comparison, self.value = _storable(key), comparison, _storable(value)

    def as_sql(self, compiler, connection, **extra):
        column, params = compiler.compile(self.source_expressions[0])
        keys = spellings(self.key.replace(" ", ""))
        tests, params = [_one_of("e.key", keys)], [*params, *keys]
        wanted = self.value.replace(" ", "")
        if self.comparison == "is":
            values = spellings(wanted)
            tests.append(_one_of("e.value", values))
            params += values
        elif self.comparison == "contains":
            # `e.value` belongs to no model.
            value = Has(RawSQL(_without_spaces("e.value"), (), TextField()), wanted)  # noqa: S611
            sql, more = compiler.compile(value)
            tests.append(sql)
            params += more
        entries = self.function_of_vendor[connection.vendor]
        sql = f"EXISTS (SELECT 1 FROM {entries}({column}) e WHERE {' AND '.join(tests)})"  # noqa: S608
        return sql, params


def _one_of(column: str, values: list[str]) -> str:
    return f"{_without_spaces(column)} IN ({', '.join(['%s'] * len(values))})"
