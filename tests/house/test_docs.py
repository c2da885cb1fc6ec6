"""README.md, which the demo goes with, tells no more and no less than there is."""

import ast
import re
from pathlib import Path

from django.core.management import load_command_class

from assets.datasets.openers import inspect_opener
from assets.demo.hospitals import HOSPITALS

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# What is read of the environment: env.str("NAME"), os.environ.get("NAME"), $(NAME) ?= value.
READ_BY_CODE = re.compile(r"""(?:env\.\w+|environ\.get|\bsetting)\(\s*["']([A-Z0-9_]+)["']""")
READ_BY_MAKE = re.compile(r"^([A-Z_]+) \?=", re.MULTILINE)


def section(title: str) -> str:
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def variables_that_are_read() -> set[str]:
    found = set(READ_BY_MAKE.findall((ROOT / "Makefile").read_text()))
    for path in (*(ROOT / "project").glob("*.py"), ROOT / "tests/with_postgres.py"):
        found.update(READ_BY_CODE.findall(path.read_text()))
    return found


def test_the_table_lists_every_variable_and_no_other():
    rows = [line for line in section("Configuration").splitlines() if line.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row.split(" | ")[0])}

    assert told == variables_that_are_read()


def test_the_table_lists_every_command_and_no_other():
    told = dict(re.findall(r"`manage\.py (\w+)(.*?)`", section("Commands")))
    there = {path.stem for path in (ROOT / "assets/management/commands").glob("[!_]*.py")}

    # Django's, with a precaution of ours; `make` runs it.
    assert set(told) == there - {"collectstatic"}
    for name, usage in told.items():
        parser = load_command_class("assets", name).create_parser("manage.py", name)
        for option in re.findall(r"--[a-z-]+", usage):
            assert option in parser.format_help()


def test_the_paths_that_are_named_are_there():
    named = set(re.findall(r"`((?:assets|tests|project|docs)/[^` ]*)`", README))

    assert len(named) > 5
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_make_target_that_is_told_exists():
    told = set(re.findall(r"(?:`|^)make ([a-z][a-z-]*)", README, re.MULTILINE))
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {"serve", "test"} <= told <= there


def test_links_and_pictures_lead_somewhere():
    headings = {
        re.sub(r"[^a-z -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in headings
        elif not target.startswith("http"):
            assert (ROOT / target).is_file()


def test_the_python_that_is_shown_compiles():
    shown = re.findall(r"```python\n(.*?)```", README, re.DOTALL)

    assert shown
    for code in shown:
        ast.parse(code)


def test_the_openers_that_are_shown_load():
    shown = re.findall(
        r"(?:<<'END'|\"\"\")\n(import pathlib\n.*?)(?:END|\"\"\")", README, re.DOTALL
    )

    assert len(shown) == 2
    assert [inspect_opener(opener.encode()) for opener in shown] == [[], []]


def test_the_users_that_are_shown_are_those_of_the_demo():
    users = {name for hospital in HOSPITALS for name in hospital.users}

    assert set(re.findall(r"\b[a-z]+-(?:admin|member|viewer)\b", README)) <= users
