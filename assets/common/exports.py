"""Lists as files: CSV and JSON, written while the rows are read, so that memory stays flat."""

import csv
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import orjson
from django.db.models import QuerySet

from .cells import exported, rows_of_values

CHUNK = 500
# What a spreadsheet would take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

# Makes the table of some rows.
MakeTable = Callable[[list[Any]], Any]


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: QuerySet, make_table: MakeTable) -> Iterator[str]:
    """Return the lines of a CSV file: what the columns are called, then each row."""
    writer = csv.writer(Echo())
    yield writer.writerow([str(column.header) for column in exported(make_table([]))])
    for values in _values(rows, make_table):
        yield "".join([writer.writerow([harmless(item) for item in row]) for row in values])


def json_lines(rows: QuerySet, make_table: MakeTable) -> Iterator[bytes]:
    """Return the lines of a JSON array with an object for each row."""
    names = [column.name for column in exported(make_table([]))]
    start = b"[\n"
    for values in _values(rows, make_table):
        objects = [orjson.dumps(dict(zip(names, row, strict=True)), default=str) for row in values]
        yield start + b",\n".join(objects)
        start = b",\n"
    yield b"\n]\n" if start == b",\n" else b"[\n]\n"


def _values(rows: QuerySet, make_table: MakeTable) -> Iterator[Iterator[list[Any]]]:
    """Return the values of all rows, some hundred rows at a time."""
    found = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield rows_of_values(make_table(chunk), chunk)


def harmless(value: Any) -> Any:
    """Return the value so that a spreadsheet takes it for what it is, and never runs it."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if is_formula else value
