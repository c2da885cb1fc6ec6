"""Modules of the tests that run in a process of their own and print what they found as JSON."""

import json
import subprocess
import sys
from typing import Any

from tests.house.source import ROOT


def found_by(module: str, *options: str) -> Any:
    """Return what a module prints; the test fails if the module does."""
    command = [sys.executable, "-m", module, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
