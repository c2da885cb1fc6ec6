"""Reads the lists of an import, CSV or JSON, into rows."""

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import orjson
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from ..common.parsing import LossyJSON, json_of
from .sources import Source, Unusable
from .specs import DATA_SAMPLES, LIST_KINDS, METADATA, METADATA_PREFIX, RUNNER_PATHS, ListKind, Row

SUFFIXES = (".csv", ".json")
# Excel separates by semicolons where the comma is the decimal sign.
SEPARATORS = ",;\t"
MAX_LIST_SIZE = 64 * 1024**2
# Columns with several data samples, and the column of a row with one of them.
SEVERAL = {"paths": "path", RUNNER_PATHS: RUNNER_PATHS}


class NoLists(Exception):
    """The source has no list, so that there is nothing to import; the text says what to do."""


class _Unreadable(Exception):
    """A list cannot be read."""

    def __init__(self, message: str, line: int = 0, field: str = "") -> None:
        super().__init__(message)
        self.line, self.field = line, field


def read_lists(source: Source) -> list[Row]:
    """Return the rows of all lists, in the order in which they are to be registered.

    A list that cannot be read is one row with a problem.

    Raises:
        NoLists: the source has none.
    """
    there = {name.lower(): name for name in source.lists()}
    names = {
        kind: [there[name] for suffix in SUFFIXES if (name := kind.name + suffix) in there]
        for kind in LIST_KINDS
    }
    if not any(names.values()):
        raise NoLists(
            _(
                "there is no list. Add datasets.csv, functions.csv or data_samples.csv, or the "
                "same as .json, beside the folders that they name."
            )
        )
    return [row for kind, found in names.items() if found for row in _rows(source, kind, found)]


def _rows(source: Source, kind: ListKind, names: Sequence[str]) -> list[Row]:
    name, *others = names
    try:
        if others:
            message = _("there is also %(other)s. Remove one of the two.")
            raise _Unreadable(message % {"other": others[0]})
        rows = list(_read(source, kind, name))
        if not rows:
            raise _Unreadable(_("the list is empty. Add a row for each asset, or remove the list."))
    except (_Unreadable, Unusable) as error:
        where, field = getattr(error, "line", 0), getattr(error, "field", "")
        row = Row(kind, name, where)
        return [replace(row, problems=[row.problem(field, str(error))])]
    return list(_unique(rows))


def _read(source: Source, kind: ListKind, name: str) -> Iterator[Row]:
    with source.file(name) as file:
        if (file.size or 0) > MAX_LIST_SIZE:
            message = _("the list is larger than %(limit)s. Split it into several folders.")
            raise _Unreadable(message % {"limit": filesizeformat(MAX_LIST_SIZE)})
        content = file.read()
    pairs = _csv_rows(content, kind) if name.lower().endswith(".csv") else _json_rows(content, kind)
    for number, values in pairs:
        yield from _one_path_each(Row(kind, name, number, values))


# --- CSV -----------------------------------------------------------------------------------------


def _csv_rows(content: bytes, kind: ListKind) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = _('the list is not UTF-8. In Excel, save it as "CSV UTF-8".')
        raise _Unreadable(message, line) from error
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    columns: list[str] = []
    start = 1
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            # A cell with line breaks ends further down.
            number, start = start, reader.line_num + 1
            if not any(cells):
                continue
            if not columns:
                columns = _columns(cells, kind, number)
                continue
            if any(cells[len(columns) :]):
                message = _(
                    "this line has %(cells)d values for %(columns)d columns. Put values "
                    "with a separator or a line break in quotes."
                )
                counts = {"cells": len(cells), "columns": len(columns)}
                raise _Unreadable(message % counts, number)
            yield number, _values(dict(zip(columns, cells, strict=False)))
    except csv.Error as error:
        message = _("this line is not CSV: %(reason)s. Save the list as CSV again.")
        raise _Unreadable(message % {"reason": error}, reader.line_num) from error


def _columns(cells: Sequence[str], kind: ListKind, line: int) -> list[str]:
    while cells and not cells[-1]:
        cells = cells[:-1]
    for name, times in Counter(cells).items():
        if times > 1:
            message = _("the column occurs %(count)d times. Remove the others.")
            raise _Unreadable(message % {"count": times}, line, name)
    allowed = [name for name in kind.columns if name != METADATA]
    _check_columns((name for name in cells if not _is_metadata(name)), allowed, kind, line)
    return list(cells)


def _is_metadata(column: str) -> bool:
    return column.startswith(METADATA_PREFIX) and column != METADATA_PREFIX


def _check_columns(
    names: Iterable[str], allowed: Sequence[str], kind: ListKind, number: int
) -> None:
    for name in names:
        if name in allowed:
            continue
        if similar := get_close_matches(name.lower(), allowed, 1):
            remedy = _('Did you mean "%(name)s"?') % {"name": similar[0]}
        else:
            columns = [*allowed, *([f"{METADATA_PREFIX}NAME"] if METADATA in kind.columns else [])]
            remedy = _("Use %(columns)s.") % {"columns": ", ".join(columns)}
        message = _("there is no such column. %(remedy)s") % {"remedy": remedy}
        raise _Unreadable(message, number, name)


def _values(cells: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of a line; blank cells are absent."""
    given = {name: cell for name, cell in cells.items() if cell}
    values: dict[str, Any] = {name: cell for name, cell in given.items() if not _is_metadata(name)}
    metadata = {
        name.removeprefix(METADATA_PREFIX): cell
        for name, cell in given.items()
        if _is_metadata(name)
    }
    return {**values, METADATA: metadata} if metadata else values


# --- JSON ----------------------------------------------------------------------------------------


def _json_rows(content: bytes, kind: ListKind) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        items = json_of(content.removeprefix(b"\xef\xbb\xbf"))
    except LossyJSON as error:
        raise _Unreadable(str(error)) from error
    except orjson.JSONDecodeError as error:
        message = _("this is not JSON in UTF-8: %(reason)s at line %(line)d, column %(column)d.")
        values = {"reason": error.msg, "line": error.lineno, "column": error.colno}
        raise _Unreadable(message % values) from error
    if not isinstance(items, list):
        raise _Unreadable(_("the JSON must be a list of objects, one for each asset."))
    for number, item in enumerate(items, 1):
        if not isinstance(item, dict):
            raise _Unreadable(_("this is not an object. Write one for each asset."), number)
        _check_columns(item, kind.columns, kind, number)
        yield number, {name: value for name, value in item.items() if value is not None}


# --- Rows ----------------------------------------------------------------------------------------


def _one_path_each(row: Row) -> Iterator[Row]:
    """Yield a row for each data sample of a row with several; other rows as they are."""
    given = [name for name in ("path", *SEVERAL) if name in row.values]
    if row.kind is not DATA_SAMPLES or given in ([], ["path"]):
        yield row
        return
    column = given[-1]
    paths = row.values[column]
    listed = [path.strip() for path in paths.split(";")] if isinstance(paths, str) else paths
    if len(given) > 1:
        message = _("cannot be combined with %(other)s. Give one of the two.")
        yield replace(row, problems=[row.problem(column, message % {"other": given[0]})])
    elif not isinstance(listed, list) or not all(isinstance(path, str) for path in listed):
        message = _("must be a list of paths.")
        yield replace(row, problems=[row.problem(column, message)])
    else:
        others = {name: value for name, value in row.values.items() if name != column}
        for path in filter(None, listed):
            yield replace(row, values={**others, SEVERAL[column]: path})


def _unique(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows, those whose name occurred before with a problem.

    Data samples name datasets of the list, and a sample that is listed twice is a mistake.
    """
    seen: dict[tuple[str, str], Row] = {}
    for row in rows:
        field = row.name_column
        known = seen.setdefault((field, row.name), row) if row.name else row
        if known is not row:
            message = _('"%(name)s" is also in %(place)s. Change or remove one of the two.')
            values = {"name": row.name, "place": known.place}
            row = replace(row, problems=[*row.problems, row.problem(field, message % values)])
        yield row
