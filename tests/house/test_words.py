"""Source, templates, scripts and tests are in plain English."""

import re
from pathlib import Path

import pytest

from .source import FOREIGN, ROOT, name_of
from .words import BANNED

FOLDERS = ("assets", "findings", "project", "static", "templates", "tests", ".ci")
SUFFIXES = {".css", ".html", ".js", ".md", ".py", ".sh", ".toml", ".txt"}
# The list itself, and what checks the check.
LISTS = {"tests/house/words.py", "tests/house/test_words.py"}
# Names that others chose, by file; `*` stands for every file.
FOREIGN_NAMES = {
    # The protocol of files.
    "*": (r"\.tell\b", r"\bdef tell\("),
    # A column that older releases made.
    "assets/common/files/pending.py": (r'db_column="given_up"',),
    # The user of this name in the system.
    "tests/with_postgres.py": ("'nobody'", '"nobody"'),
}


def files() -> list[Path]:
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))
    return sorted(
        path
        for path in found
        if path.suffix in SUFFIXES
        and "__pycache__" not in path.parts
        and not any(map(path.is_relative_to, FOREIGN))
        and name_of(path) not in LISTS
    )


def banned_in(name: str, text: str) -> list[str]:
    for allowed in (*FOREIGN_NAMES["*"], *FOREIGN_NAMES.get(name, ())):
        text = re.sub(allowed, "", text)
    return [found[0] for found in BANNED.finditer(text)]


def test_files_have_no_banned_word():
    found = {name_of(path): banned_in(name_of(path), path.read_text("utf-8")) for path in files()}
    assert len(found) > 500
    assert {name: words for name, words in found.items() if words} == {}


def test_names_of_files_have_none():
    assert [name_of(path) for path in files() if BANNED.search(name_of(path))] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def test_who_is_told(): ...", ["told"]),
        ("class ApiDoor: ...", ["Door"]),
        ("DOORS = 1", ["DOORS"]),
        ("Nobody knows as_it_is", ["Nobody", "as_it_is"]),
        ("file.tell(), outdoors, untold, hold, tellurium", []),
    ],
)
def test_words_end_where_a_name_does(text, words):
    assert banned_in("", text) == words


@pytest.mark.parametrize("name", [name for name in FOREIGN_NAMES if name != "*"])
def test_exceptions_are_needed(name):
    text = (ROOT / name).read_text("utf-8")
    assert all(re.search(allowed, text) for allowed in FOREIGN_NAMES[name])
