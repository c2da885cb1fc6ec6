"""All of the corpus is read in bounded memory and time.

A process has 1 GB, Python and Django included, and no archive makes it grow by 100 MB.
"""

from tests.processes import found_by

from .hostile import HARMLESS, LARGE, REFUSED

MAX_GROWTH = 100_000_000


def test_the_corpus_is_read_in_bounded_memory_and_time():
    found = found_by("tests.corpus.bounds")
    for name, (_, phrase) in (REFUSED | LARGE).items():
        assert phrase in found[name][0], name
    assert [name for name in HARMLESS if found[name][0]] == []
    grown = {name: growth for name, (_, growth) in found.items() if growth >= MAX_GROWTH}
    assert grown == {}
