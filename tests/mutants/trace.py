"""A pytest plugin: write which blocks each test runs, one JSON object a line.

A fixture that tests of a module or class share runs once; its blocks count for each of the tests.
"""

import json
import os
import time
from pathlib import Path

import pytest

from . import blocks

blocks.install()


class Tracer:
    def __init__(self, folder: Path, worker: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / f"map.{worker}.jsonl").open("w")
        self.numbers: dict[str, int] = {}
        self.shared: dict[object, set[str]] = {}
        self.failed: set[str] = set()

    def number(self, key: str) -> int:
        return self.numbers.setdefault(key, len(self.numbers))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        blocks.SEEN.clear()
        started = time.perf_counter()
        result = yield
        seconds = time.perf_counter() - started
        seen = set(blocks.SEEN)
        for definitions in item._fixtureinfo.name2fixturedefs.values():
            for definition in definitions:
                seen |= self.shared.get(definition, set())
        row = {
            "test": item.nodeid,
            "seconds": round(seconds, 3),
            "passed": item.nodeid not in self.failed,
            "blocks": sorted(map(self.number, seen)),
        }
        self.file.write(json.dumps(row, separators=(",", ":")) + "\n")
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef, request):
        if fixturedef.scope not in ("module", "class"):
            return (yield)
        before = set(blocks.SEEN)
        blocks.SEEN.clear()
        try:
            return (yield)
        finally:
            self.shared[fixturedef] = set(blocks.SEEN)
            blocks.SEEN.update(before)

    def pytest_runtest_logreport(self, report) -> None:
        if not report.passed:
            self.failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self.file.write(json.dumps({"keys": list(self.numbers)}) + "\n")
        self.file.close()


def pytest_configure(config) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER") or not config.getoption("numprocesses", None):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "one")
        config.pluginmanager.register(Tracer(Path(os.environ["MUTANTS_MAP"]), worker))
