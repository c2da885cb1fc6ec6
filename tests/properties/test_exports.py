"""CSV that spreadsheets open: no cell is run, wherever they take a cell to begin."""

import csv
import io
import re

import pytest
from hypothesis import example, given, strategies as st

from assets.common.pages.exports import line_writer

NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
VALUES = st.text(";,=\"+-@\t\r\n '1a＝", max_size=12)


def cells(text: str, delimiter: str) -> list[str]:
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    return [cell for row in rows for cell in row]


@given(st.lists(VALUES, min_size=1, max_size=4))
@example(["a", "b;=1+1"])
@example(["a", 'b;"=1+1'])
@example(["a", "b\n=1+1"])
@example(["-1", "5+cmd|' /C calc'!A0"])
def test_no_cell_is_run_whatever_separates_them(values):
    text = line_writer()(values)
    for delimiter in ",;\t":
        for cell in cells(text, delimiter):
            begins_one = cell.lstrip(' "').startswith(("=", "+", "-", "@", "＝"))
            is_number = delimiter == "," and NUMBER.fullmatch(cell)
            assert is_number or not begins_one, (delimiter, cell)
    assert len(cells(text, ",")) == len(values)


WRITTEN = {
    "-0.5": "-0.5",
    "+1": "+1",
    "-1.5e-3": "-1.5e-3",
    "-0.5 mm": "'-0.5 mm",
    "1;-5": "1;'-5",
    "a - b; c": "a - b; c",
    "=1": "'=1",
    ' "=1': " \"'=1",
    "-inf": "'-inf",
}


@pytest.mark.parametrize(("value", "written"), WRITTEN.items())
def test_a_number_stays_one(value, written):
    assert cells(line_writer()(["key", value, 0.5]), ",") == ["key", written, "0.5"]
