"""A pytest plugin: run the tests on one mutant, for `python -m tests.mutants try`."""

import os

import pytest

from .mutants import all_mutants
from .patching import Patcher


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    wanted = os.environ["MUTANT"]
    mutant = next(mutant for mutant in all_mutants() if mutant.id == wanted)
    Patcher().apply(mutant)
