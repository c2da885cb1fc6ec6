"""Folders to import: a list of datasets with their files, and what a test adds or breaks."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.builders import CODE, DESCRIPTION, OPENER, zip_of

COLUMNS = ("name", "type", "data_opener", "description", "permissions", "metadata.ward")


def csv_of(rows: Sequence[Sequence[Any]], separator: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue().encode()


def dataset_lines(count: int) -> list[tuple]:
    files = ("openers/opener.py", "notes.md")
    return [(f"Ward {n}", "tabular", *files, "", n) for n in range(1, count + 1)]


def datasets_csv(*lines: Sequence[Any], separator: str = ",") -> bytes:
    return csv_of([COLUMNS, *lines], separator)


FUNCTION = {
    "name": "Train",
    "file": "train.zip",
    "description": "notes.md",
    "inputs": "opener ASSET_DATA_MANAGER; datasamples ASSET_DATA_SAMPLE multiple",
    "outputs": {"model": {"kind": "ASSET_MODEL"}},
    "permissions": "public",
}


def study(count: int = 2, **files: bytes) -> dict[str, bytes]:
    """The files of a folder: `count` datasets, two samples of the first one, and a function.

    `files` replaces lists by their names, such as `datasets_csv`; None leaves a list out.
    """
    lists = {
        "datasets_csv": datasets_csv(*dataset_lines(count)),
        "data_samples_csv": csv_of(
            [
                ("path", "data_manager_keys"),
                ("visits/first", "Ward 1"),
                ("visits/second.zip", "Ward 1; Ward 2"),
            ]
        ),
        "functions_json": json.dumps([FUNCTION]).encode(),
    }
    named = {
        f"{name.rpartition('_')[0]}.{name.rpartition('_')[2]}": content
        for name, content in {**lists, **files}.items()
        if content is not None
    }
    return {
        **named,
        "openers/opener.py": OPENER,
        "notes.md": DESCRIPTION,
        "visits/first/data.csv": b"1,2\n",
        "visits/first/deep/more.csv": b"3\n",
        "visits/first/.DS_Store": b"x",
        "visits/second.zip": zip_of({"data.csv": b"4\n"}),
        "train.zip": zip_of(CODE),
    }


def only(name: str, content: bytes) -> dict[str, bytes]:
    """A study with this one list."""
    lists = {"datasets_csv": None, "data_samples_csv": None, "functions_json": None}
    return {**study(**lists), name: content}


def write(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root
