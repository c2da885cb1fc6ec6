"""Lists as CSV and JSON files, streamed while the rows are read, so that memory stays flat."""

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
# The start of a cell, and the characters that make it a formula. In many countries spreadsheets
# split lines at ";", and pasted text is split at tabs. Quotes then only count at the start of a
# cell, so a line that is quoted for commas is split elsewhere.
_FORMULA = re.compile(r"""((?:^|[;\t\r\n])(?:[^\S\t\r\n]|")*)([=+\-@＝＋－＠])""")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

# Returns the table of some rows.
MakeTable = Callable[[list[Any]], Any]


class Echo:
    """A file whose `write` returns the text."""

    def write(self, text: str) -> str:
        return text


def line_writer() -> Callable[[Iterable[Any]], str]:
    """Return a function that turns the values of a row into a line of CSV.

    Spreadsheets do not run any value as a formula, whether they split the line at commas,
    semicolons or tabs. Numbers stay numbers.
    """
    write = csv.writer(Echo()).writerow

    def line(values: Iterable[Any]) -> str:
        return write([_harmless(value, first=not place) for place, value in enumerate(values)])

    return line


def _harmless(value: Any, *, first: bool) -> Any:
    if not isinstance(value, str) or not _FORMULA.search(value):
        return value
    # Split at semicolons, only the first value is sure to be at the start of a cell.
    if not first and _NUMBER.fullmatch(value):
        return value
    return _FORMULA.sub(r"\1'\2", value)


def csv_lines(rows: QuerySet, make_table: MakeTable) -> Iterator[str]:
    """Yield the lines of a CSV file: the headers of the columns, then each row."""
    line = line_writer()
    yield BYTE_ORDER_MARK + line(column.header for column in exported(make_table([])))
    for values in _values(rows, make_table):
        yield "".join(map(line, values))


def json_lines(rows: QuerySet, make_table: MakeTable) -> Iterator[bytes]:
    """Yield the lines of a JSON array with an object for each row."""
    names = [column.name for column in exported(make_table([]))]
    start = b"[\n"
    for values in _values(rows, make_table):
        objects = [orjson.dumps(dict(zip(names, row, strict=True)), default=str) for row in values]
        yield start + b",\n".join(objects)
        start = b",\n"
    yield b"\n]\n" if start == b",\n" else b"[\n]\n"


def _values(rows: QuerySet, make_table: MakeTable) -> Iterator[Iterator[list[Any]]]:
    """Yield the values of all rows, a few hundred rows at a time."""
    found = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(found, CHUNK)):
        yield rows_of_values(make_table(chunk), chunk)
