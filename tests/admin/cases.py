"""The cases of `tests/rules`, as far as a person can type them, and where the admin shows what."""

import re
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

import pytest

from assets.compute.specs import ComputePlanSpec
from assets.datasets.models import DataSample
from assets.datasets.specs import DataSampleSpec
from tests import rules
from tests.rules.cases import Case
from tests.rules.requests import Cancel, Link, Request, Tasks
from tests.rules.world import A, World

# What problems call otherwise than the pages.
FIELDS = {
    "data_manager_keys": "datasets",
    "path": "paths",
    "function_key": "function",
    "compute_plan_key": "compute_plan",
}


def samples_of_the_rules() -> list[Any]:
    """Return cases of every table of the rules, in groups of which a form needs to meet one.

    `tests/rules` runs every case. Forms and pages only place problems, and they place those of one
    table, code, shape of path and phrase alike; what is blank may be another matter. Each
    parameter is the cases, and whether they need the fixture `folders`.
    """
    groups: dict[tuple[Any, ...], list[Case]] = {}
    for name, test in _tests_of_the_rules():
        needs_folders = "folders" in signature(test).parameters
        for case in _cases_of(test):
            subject, _, variant = case.id.rpartition(": ")
            path = re.sub(r"\[\d+\]", "[]", case.field)
            key = (name, needs_folders, subject, variant == "none", case.code, path, case.phrase)
            # The last that is accepted is the one with the most in it.
            groups.setdefault(key, []).insert(0, case)
    return [
        pytest.param(cases, key[1], id=f"{key[0]}: {cases[0].id}") for key, cases in groups.items()
    ]


def _cases_of(test: Any) -> Iterator[Case]:
    for mark in test.pytestmark:
        if mark.args[:1] == ("case",):
            yield from (param.values[0] for param in mark.args[1])


def first_typable(
    cases: Iterable[Case], world: World, why_untypable: Callable[[Request], str]
) -> tuple[Case, Request]:
    """Return the first case that a person can type, with its request; skip the test without one."""
    reason = ""
    for case in cases:
        asked = as_request(case.build(world))
        reason = why_untypable(asked)
        if not reason:
            return case, asked
    pytest.skip(reason)


def _tests_of_the_rules() -> Iterator[tuple[str, Any]]:
    for path in sorted(Path(rules.__file__).parent.glob("test_*.py")):
        module = import_module(f"tests.rules.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_") and hasattr(test, "pytestmark"):
                yield name.removeprefix("test_"), test


def as_request(built: Any) -> Request:
    """Return what a case builds as a request; a list is a batch of tasks."""
    return Tasks(built) if isinstance(built, list) else built


def why_untypable(request: Request) -> str:
    """Say why no person can send this through the pages; blank when one can."""
    match request:
        case Cancel():
            return "cancelling has a page without fields, and tests of its own"
        case Link(sample_keys=keys) if len(keys) != 1 or not _is_own_sample(keys[0]):
            return "a page is about one data sample, which is there and may be changed"
        case Tasks(specs=specs) if len(specs) != 1 and (not specs or not specs[0].compute_plan_key):
            return "a batch is typed at the page of its plan"
        case DataSampleSpec(data_manager_keys=keys) if len(keys) != len(set(keys)):
            return "a list of choices takes each once"
    metadata = getattr(request, "metadata", None)
    if isinstance(request, Tasks):
        metadata = request.specs[0].metadata
    if isinstance(metadata, list):
        return "a text area holds lines or an object"
    return ""


def _is_own_sample(key: Any) -> bool:
    return DataSample.objects.filter(pk=key, owner=A).exists()


def place_of(field: str, request: Request) -> str:
    """Return where the page shows a problem of this field path."""
    if isinstance(request, Tasks) and len(request.specs) == 1:
        spec: Any = request.specs[0]
        field = field.removeprefix("tasks[0]").lstrip(".")
    else:
        spec = request
    if isinstance(request, ComputePlanSpec | Tasks) and field.startswith("tasks"):
        return "tasks"
    if isinstance(request, DataSampleSpec) and field in request.archives:
        return "archives"
    for name in ("inputs", "outputs"):
        if field.startswith(name):
            return _place_of_row(name, field.removeprefix(name), getattr(spec, name))
    first = field.partition(".")[0]
    return FIELDS.get(first, first)


def _place_of_row(name: str, path: str, rows: Any) -> str:
    identifiers = list(rows) if isinstance(rows, dict) else [row.identifier for row in rows]
    if match := re.fullmatch(r"\[(\d+)\](.*)", path):
        index, rest = int(match[1]), match[2]
    else:
        found = [
            (index, path.removeprefix(f".{identifier[:100]}"))
            for index, identifier in enumerate(identifiers)
            if path.startswith(f".{identifier[:100]}")
        ]
        if not found:
            return name
        index, rest = found[-1]
    column = rest.strip(".").partition(".")[0]
    return f"{name}-{index}-{column}" if column else f"{name}-{index}"
