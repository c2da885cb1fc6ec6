"""Keyset pagination: the rows before or after the position of a row.

An OFFSET reads all the rows that it skips; an index leads to a position directly.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db import connection
from django.db.models import BooleanField, F, Field, Func, Model, QuerySet, Value

# The largest integer that both databases compare with a column.
MAX_INTEGER = 2**63 - 1

# The values by which a row is ordered.
Position = list[Any]


class RowComparison(Func):
    """Compares columns with values as one row value: ``(a, b) > (1, 2)``.

    Both databases read the matching rows as one range of an index on the columns in this order.
    """

    output_field = BooleanField()
    conditional = True

    def __init__(self, operator: str, columns: Sequence[str], values: Sequence[Value]) -> None:
        super().__init__(*map(F, columns), *values)
        self.operator = operator

    def as_sql(self, compiler, connection, *args, **extra):
        parts = [compiler.compile(expression) for expression in self.source_expressions]
        texts = [sql for sql, _ in parts]
        half = len(texts) // 2
        sql = f"({', '.join(texts[:half])}) {self.operator} ({', '.join(texts[half:])})"
        return sql, [param for _, params in parts for param in params]


class Term(NamedTuple):
    """One column of the order: its path, its field, and the name of its value in each row."""

    path: str
    field: Field
    name: str

    @property
    def joined(self) -> bool:
        return "__" in self.path

    def value(self, value: Any) -> Value:
        return Value(value, getattr(self.field, "target_field", self.field))


class Keyset:
    """The order of a queryset: columns in one direction, ending with the key.

    Only the first column may be null: rows with nulls are a range of their own, before or after all
    others, depending on the database.
    """

    def __init__(self, queryset: QuerySet, terms: Sequence[Term], *, ascending: bool) -> None:
        self.terms = terms
        self.ascending = ascending
        self.model: Any = queryset.model
        # Columns of joined tables, and all columns of `values()` querysets, are added to the rows.
        self.added = [term.name for term in terms if term.name.startswith("_at_")]
        self._queryset = queryset

    @property
    def paths(self) -> list[str]:
        """The paths of the columns of the order."""
        return [term.path for term in self.terms]

    @cached_property
    def queryset(self) -> QuerySet:
        """The rows with the values that `positions` reads."""
        added = {term.name: F(term.path) for term in self.terms if term.name in self.added}
        return self._queryset.annotate(**added) if added else self._queryset

    @classmethod
    def of(cls, queryset: QuerySet) -> "Keyset | None":
        """Return the keyset of a queryset; None if its order needs an OFFSET."""
        ordering = [term for term in queryset.query.order_by if isinstance(term, str)]
        if not ordering or len(ordering) < len(queryset.query.order_by):
            return None
        if len({term.startswith("-") for term in ordering}) > 1:
            return None
        terms = []
        for number, path in enumerate(term.removeprefix("-") for term in ordering):
            field = None if path in queryset.query.annotations else _field(queryset.model, path)
            if field is None or (field.null and (number or "__" in path)):
                return None
            own = "__" not in path and not queryset.query.has_select_fields
            terms.append(Term(path, field, field.attname if own else f"_at_{number}"))
        if not terms[-1].field.primary_key or terms[-1].joined:
            return None
        return cls(queryset, terms, ascending=not ordering[0].startswith("-"))

    def positions(self, rows: Sequence[Any]) -> list[Position]:
        """Return the positions of the first and the last row; added values are removed.

        A row that is a tuple ends with the columns of the order.
        """
        if isinstance(rows[0], tuple):
            return [list(row[-len(self.terms) :]) for row in (rows[0], rows[-1])]
        read = dict.__getitem__ if isinstance(rows[0], dict) else getattr
        found = [[read(row, term.name) for term in self.terms] for row in (rows[0], rows[-1])]
        for row in rows if isinstance(rows[0], dict) else ():
            for name in self.added:
                del row[name]
        return found

    def read(self, values: Sequence[Any]) -> Position | None:
        """Return the position that JSON values spell; None if they fit no row of this order."""
        if len(values) != len(self.terms):
            return None
        pairs = list(zip(self.terms, values, strict=True))
        if any(value is None and not term.field.null for term, value in pairs):
            return None
        try:
            return [_column_value(term.field, value) for term, value in pairs]
        except (ValidationError, TypeError, ValueError, OverflowError):
            return None

    def following(self, position: Position, limit: int) -> list[Any]:
        """Return the rows after the position."""
        return list(islice(self._rows(position, limit, ascending=self.ascending), limit))

    def preceding(self, position: Position, limit: int) -> list[Any]:
        """Return the rows before the position, in their order."""
        return list(islice(self._rows(position, limit, ascending=not self.ascending), limit))[::-1]

    def _rows(self, position: Position, limit: int, *, ascending: bool) -> Iterator[Any]:
        """Yield the rows beyond the position; two statements where the range of nulls begins."""
        queryset = self.queryset if ascending == self.ascending else self.queryset.reverse()
        first = self.terms[0]
        isnull = position[0] is None
        nulls_last = ascending == connection.features.nulls_order_largest
        beyond = self._beyond(queryset, position, ascending=ascending)
        yield from beyond[:limit]
        if first.field.null and isnull != nulls_last:
            yield from queryset.filter(**{f"{first.path}__isnull": not isnull})[:limit]

    def _beyond(self, queryset: QuerySet, position: Position, *, ascending: bool) -> QuerySet:
        pairs = list(zip(self.terms, position, strict=True))
        if position[0] is None:
            queryset = queryset.filter(**{f"{self.terms[0].path}__isnull": True})
            pairs = pairs[1:]
        elif self.terms[0].joined:
            # No index has columns of two tables; this condition lets the database use one for the
            # first column.
            bound = "gte" if ascending else "lte"
            queryset = queryset.filter(**{f"{self.terms[0].path}__{bound}": position[0]})
        columns = [term.path for term, _ in pairs]
        values = [term.value(value) for term, value in pairs]
        return queryset.filter(RowComparison(">" if ascending else "<", columns, values))


def _column_value(field: Field, value: Any) -> Any:
    """Return the value of a column that a JSON value spells.

    Raises:
        ValidationError, TypeError, ValueError, OverflowError: the column can have no such value.
    """
    found = field.to_python(value)
    if isinstance(found, int) and abs(found) > MAX_INTEGER:
        raise OverflowError
    if isinstance(found, str) and "\0" in found:
        raise ValueError
    # Databases differ in dates that are beyond the years 1 to 9999 in UTC.
    return found.astimezone(UTC) if isinstance(found, datetime) else found


def _field(model: type[Model], path: str) -> Field | None:
    """Return the field at the path; None if some rows lack it because a foreign key is null."""
    if path == "pk":
        return model._meta.pk
    head, _, rest = path.partition("__")
    try:
        field: Any = model._meta.get_field(head)
    except FieldDoesNotExist:
        return None
    if not rest:
        return field if field.concrete and not field.many_to_many else None
    joins = field.concrete and field.is_relation and not field.many_to_many and not field.null
    return _field(field.related_model, rest) if joins else None
