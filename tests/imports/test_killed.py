"""An import that is killed continues where it was, and leaves nothing behind."""

import json
import os
import subprocess
import sys

import pytest

from tests.house.source import ROOT

from .killed import DATASETS

pytestmark = pytest.mark.postgresql


def test_a_killed_import_continues():
    done = subprocess.run(
        [sys.executable, "-m", "tests.imports.killed"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
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
