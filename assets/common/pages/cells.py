"""The cells of a table: what a column needs is worked out once, not for each of its cells.

Columns are those of django-tables2. A column's `render`, or the table's `render_NAME`, makes the
HTML of a cell, and `value` or `value_NAME` what exports have; they take what they name of `value`,
`record` and `table`. Labels of choices are theirs to find.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator
from html import escape
from operator import attrgetter
from typing import Any

from django.utils.encoding import force_str
from django.utils.safestring import SafeString, mark_safe
from django_tables2 import Column

Cell = Callable[[Any], Any]


def html_rows(table: Any, records: Iterable[Any]) -> SafeString:
    """Return the rows of the table's body."""
    cells = [_html(table, column) for column in table.columns]
    rows = ["".join([cell(record) for cell in cells]) for record in records]
    return mark_safe("\n".join([f"<tr>{row}</tr>" for row in rows]))  # noqa: S308  cells escape


def exported(table: Any) -> list[Any]:
    """Return the columns that exports have."""
    return [column for column in table.columns.iterall() if not column.column.exclude_from_export]


def rows_of_values(table: Any, records: Iterable[Any]) -> Iterator[list[Any]]:
    """Return what exports have of each record, by column."""
    cells = [_value(table, column) for column in exported(table)]
    return ([cell(record) for cell in cells] for record in records)


def _html(table: Any, bound: Any) -> Cell:
    read, render = _reader(bound), _caller(bound.render, table)
    empty, default = bound.column.empty_values, bound.default
    attributes = bound.attrs["td"].as_html()
    start = f"<td {attributes}>" if attributes else "<td>"

    def cell(record: Any) -> str:
        value = read(record)
        inside = default if value in empty else render(value, record)
        if not isinstance(inside, SafeString):
            inside = escape(str(inside))
        return f"{start}{inside}</td>"

    return cell


def _value(table: Any, bound: Any) -> Cell:
    # A column without its own `value` is exported as rendered.
    says_nothing = getattr(bound.value, "__func__", None) is Column.value
    value_of = _caller(bound.column.render if says_nothing else bound.value, table)
    read, empty = _reader(bound), bound.column.empty_values

    def cell(record: Any) -> Any:
        value = read(record)
        return None if value in empty else force_str(value_of(value, record), strings_only=True)

    return cell


def _reader(bound: Any) -> Cell:
    """Return what reads a column's value of a record; None where it refers to nothing."""
    *steps, _ = path = str(bound.accessor).split("__")
    read = attrgetter(".".join(path))
    if not steps:
        return read

    def read_safely(record: Any) -> Any:
        try:
            return read(record)
        except AttributeError:  # one of the steps is None
            return None

    return read_safely


def _caller(function: Callable[..., Any], table: Any) -> Callable[[Any, Any], Any]:
    """Return a call of the function by value and record, with as much as it takes."""
    wanted = list(inspect.signature(function).parameters)
    if wanted == ["value"]:
        return lambda value, record: function(value)
    if wanted == ["record"]:
        return lambda value, record: function(record)

    def call(value: Any, record: Any) -> Any:
        known = {"value": value, "record": record, "table": table}
        return function(**{name: known[name] for name in wanted})

    return call
