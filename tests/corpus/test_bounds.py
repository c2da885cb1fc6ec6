"""All of the corpus is read in 1 GB of memory, Python and Django included, and in bounded time."""

import json
import subprocess
import sys
from pathlib import Path

from .hostile import HARMLESS, LARGE, REFUSED


def test_the_corpus_is_read_in_bounded_memory_and_time():
    done = subprocess.run(
        [sys.executable, "-m", "tests.corpus.bounds"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    for name, (_, phrase) in (REFUSED | LARGE).items():
        assert phrase in found[name], name
    assert [name for name in HARMLESS if found[name]] == []
