"""The server is killed while clients register: a short run of `python -m tests.kill`."""

import json
import os
import subprocess
import sys

import pytest

from .server import ROOT

pytestmark = pytest.mark.postgresql


def test_nothing_is_lost_and_nothing_is_left():
    done = subprocess.run(
        [sys.executable, "-m", "tests.kill", "--registrations", "30", "--kills", "3"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout)
    assert figures["registrations"] >= 30
    assert figures["kills"] >= 2
    assert figures["answered, whole"]
