"""The documentation: what it names exists, what it shows works, and its pages are linked."""

import ast
import re
from pathlib import Path

import pytest
from django.core.management import load_command_class

from assets.datasets.openers import inspect_opener
from assets.demo.hospitals import HOSPITALS

from .source import ROOT, modules
from .words import BANNED, BANNED_IN_PROSE

DOCS = ROOT / "docs"
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md")])
}
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
# What is read of the environment: env.str("NAME"), os.environ.get("NAME"), $(NAME) ?= value.
READ_BY_CODE = re.compile(r"""(?:env\.\w+|environ\.get|\bsetting)\(\s*["']([A-Z0-9_]+)["']""")
READ_BY_MAKE = re.compile(r"^([A-Z_]+) \?=", re.MULTILINE)
MAX_README_LINES = 216


def every_page(check):
    return pytest.mark.parametrize("page", PAGES)(check)


def section(page: str, title: str) -> str:
    return PAGES[page].split(f"\n## {title}\n")[1].split("\n## ")[0]


def prose(page: str) -> str:
    """Return the page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", PAGES[page], flags=re.DOTALL | re.MULTILINE)


def links(page: str) -> list[str]:
    """Return the targets of links and pictures that are no web addresses."""
    found = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in found if not target.startswith("http")]


def anchors(text: str) -> set[str]:
    """Return the anchors that a forge gives the headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# --- Pages and links -----------------------------------------------------------------------------


@every_page
def test_links_and_pictures_lead_somewhere(page):
    for target in links(page):
        path, _, anchor = target.partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


def test_every_page_is_linked_from_the_index_and_the_readme():
    pages = {path.name for path in DOCS.glob("*.md")} - {"README.md"}
    assert pages <= {Path(target).name for target in links("docs/README.md")}
    assert pages <= {Path(target.partition("#")[0]).name for target in links("README.md")}


def test_the_readme_is_short_and_begins_with_the_three_commands():
    assert len(PAGES["README.md"].splitlines()) <= MAX_README_LINES
    [first, *_] = re.findall(r"```console\n(.*?)```", PAGES["README.md"], re.DOTALL)
    assert re.findall(r"^make (\w+)", first, re.MULTILINE) == ["serve", "work", "test"]


# --- What pages name -----------------------------------------------------------------------------


@every_page
def test_the_paths_that_are_named_exist(page):
    named = re.findall(
        r"`((?:assets|tests|project|docs|\.ci|templates|static|findings)/[^` ]*)`", prose(page)
    )
    # What commands write, and what a reader fills in.
    given = [path for path in named if "NAME" not in path and "figures" not in path]
    assert [path for path in given if not (ROOT / path).exists()] == []


def test_the_names_in_contributing_exist():
    """Functions, classes and constants that a reader is sent to."""
    named = set(
        re.findall(r"`([a-z]+_[a-z_]+[a-z]{2}|[A-Z]\w+|[A-Z]{4,})`", prose("CONTRIBUTING.md"))
    )
    source = "\n".join(path.read_text(encoding="utf-8") for path in modules())
    assert len(named) > 5
    assert {name for name in named if not re.search(rf"\b{name}\b", source)} <= {"Raises"}


@every_page
def test_the_make_targets_that_are_named_exist(page):
    named = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", PAGES[page], re.MULTILINE))
    assert named <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def test_every_make_target_for_people_is_in_development():
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))
    part = {"help", "test-sqlite", "test-postgresql", "sdk-venvs", "venv", "clean", "clean-data"}
    named = set(re.findall(r"make ([a-z][a-z-]*)", PAGES["docs/development.md"]))
    assert targets - part <= named


def test_the_tables_list_every_variable_and_no_other():
    read = set(READ_BY_MAKE.findall(MAKEFILE))
    for path in (*(ROOT / "project").glob("*.py"), ROOT / "tests/with_postgres.py"):
        read.update(READ_BY_CODE.findall(path.read_text(encoding="utf-8")))

    rows = re.findall(r"^\| (`[A-Z].*?) \| ", PAGES["docs/configuration.md"], re.MULTILINE)
    listed = [name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)]
    assert len(listed) == len(set(listed))
    assert set(listed) == read


def test_the_table_lists_every_command_and_no_other():
    listed = dict(re.findall(r"`manage\.py (\w+)(.*?)`", section("docs/operations.md", "Commands")))
    there = {path.stem for path in (ROOT / "assets/management/commands").glob("[!_]*.py")}

    # Django's: two that `make` runs, in a form of ours, and one to run daily.
    assert set(listed) - {"clearsessions"} == there - {"check", "collectstatic"}
    for name in set(listed) & there:
        parser = load_command_class("assets", name).create_parser("manage.py", name)
        for option in re.findall(r"--[a-z-]+", listed[name]):
            assert option in parser.format_help()


def test_every_migration_since_the_first_notes_is_in_the_upgrade_notes():
    numbers = {path.name[:4] for path in (ROOT / "assets/migrations").glob("[0-9]*.py")}
    rows = re.findall(r"^\| (\d{4}.*?) \|", PAGES["docs/upgrading.md"], re.MULTILINE)
    noted = {number for row in rows for number in row.split(", ")}
    assert {number for number in numbers if number > "0009"} == noted


def test_every_version_of_the_changelog_has_upgrade_notes():
    versions = re.findall(r"^## (\d+\.\d+\.\d+) - ", PAGES["CHANGELOG.md"], re.MULTILINE)
    noted = re.findall(r"^## (\d+\.\d+\.\d+)$", PAGES["docs/upgrading.md"], re.MULTILINE)
    assert versions == noted


# --- What pages show -----------------------------------------------------------------------------


def test_the_python_that_is_shown_compiles():
    shown = re.findall(r"```python\n(.*?)```", "\n".join(PAGES.values()), re.DOTALL)
    assert shown
    for code in shown:
        ast.parse(code)


def test_the_openers_that_are_shown_load():
    shown = re.findall(
        r"(?:<<'END'|\"\"\")\n(import pathlib\n.*?)(?:END|\"\"\")",
        PAGES["docs/getting-started.md"],
        re.DOTALL,
    )
    assert len(shown) == 2
    assert [inspect_opener(opener.encode()) for opener in shown] == [[], []]


@every_page
def test_the_users_that_are_shown_are_those_of_the_demo(page):
    users = {name for hospital in HOSPITALS for name in hospital.users}
    assert set(re.findall(r"(?<![-#])\b[a-z]+-(?:admin|member|viewer)\b", PAGES[page])) <= users


# --- Words ---------------------------------------------------------------------------------------


@every_page
def test_pages_are_in_plain_english(page):
    """CONTRIBUTING.md describes the style; these words are what it is not."""
    text = prose(page)
    assert not [found[0] for words in (BANNED, BANNED_IN_PROSE) for found in words.finditer(text)]


@every_page
def test_lines_of_prose_fit(page):
    """Tables, links and the figures of benchmarks are as wide as they are."""
    long = [
        line
        for line in prose(page).splitlines()
        if len(line) > 100 and not line.startswith("|") and "](" not in line
    ]
    assert page == "docs/benchmarks.md" or long == []
