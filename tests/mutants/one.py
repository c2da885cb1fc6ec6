"""A plugin of pytest: run the tests on one mutant, as `python -m tests.mutants try` asks."""

import os

import pytest

from .living import Living
from .mutants import all_mutants


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    wanted = os.environ["MUTANT"]
    mutant = next(mutant for mutant in all_mutants() if mutant.id == wanted)
    Living().become(mutant)
