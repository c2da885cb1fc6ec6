"""Lists as files: CSV and JSON, written while the rows are read, so that memory stays flat."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import orjson
from django.db.models import QuerySet

from .cells import exported, rows_of_values

CHUNK = 500
# Excel reads a file without it as ANSI.
BYTE_ORDER_MARK = "\ufeff"
# Where a cell begins, and what makes a formula of it. Spreadsheets of many countries take ";" for
# the separator, and what is pasted is separated by tabs: then each quote is a character like any
# other but at the start of a cell, so a line that is quoted for commas falls apart elsewhere.
_FORMULA = re.compile(r"""((?:^|[;\t\r\n])(?:[^\S\t\r\n]|")*)([=+\-@＝＋－＠])""")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

# Makes the table of some rows.
MakeTable = Callable[[list[Any]], Any]


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def line_writer() -> Callable[[Iterable[Any]], str]:
    """Return a function that turns the values of a row into a line of CSV.

    A spreadsheet shows each value and runs none as a formula, whether it splits the line at commas,
    semicolons or tabs. A value that is a number stays one.
    """
    write = csv.writer(Echo()).writerow

    def line(values: Iterable[Any]) -> str:
        return write([_harmless(value, first=not place) for place, value in enumerate(values)])

    return line


def _harmless(value: Any, *, first: bool) -> Any:
    if not isinstance(value, str) or not _FORMULA.search(value):
        return value
    # Split at semicolons, a line begins with its first value and goes on with the others.
    if not first and _NUMBER.fullmatch(value):
        return value
    return _FORMULA.sub(r"\1'\2", value)


def csv_lines(rows: QuerySet, make_table: MakeTable) -> Iterator[str]:
    """Return the lines of a CSV file for people: what the columns are called, then each row."""
    line = line_writer()
    yield BYTE_ORDER_MARK + line(column.header for column in exported(make_table([])))
    for values in _values(rows, make_table):
        yield "".join(map(line, values))


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
