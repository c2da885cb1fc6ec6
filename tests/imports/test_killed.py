"""An import that is killed continues where it was, and leaves nothing behind."""

import pytest

from tests.processes import found_by

from .killed import DATASETS

pytestmark = pytest.mark.postgresql


def test_a_killed_import_continues():
    figures = found_by("tests.imports.killed")
    last, assets = figures.pop("last"), DATASETS + 3
    assert last.endswith(" registered before.")
    assert figures == {
        "datasets": DATASETS,
        "names": DATASETS,
        "samples": 2,
        "events": assets,
        "orphans": [],
        "wrong": [],
    }
