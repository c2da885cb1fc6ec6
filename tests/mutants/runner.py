"""A pytest plugin: collect the suite once, then run tests on each mutant in a forked child.

The tests' database is in memory, so each child has a copy of its own. Changes of code and data end
with the child.
"""

import gc
import json
import os
import resource
import signal
import sys
import time
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from .maps import TestMap
from .mutants import Mutant
from .patching import Patcher, Unchanged
from .relevance import Relevance

PASSED, FAILED, UNCHANGED, BROKEN = 0, 1, 2, 3
MEMORY = 4 * 1024**3
# How many tests a result names for a later run.
KEPT = 30


class Runner:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.map = TestMap(Path(plan["map"])) if plan["map"] else None
        self.controls: dict[str, bool] = {}
        self.items: dict[str, pytest.Item] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self.relevance = Relevance(session.items)
        self._make_database(session)
        self.patcher = Patcher()
        # The collector would write to all memory that children share with this process.
        gc.collect()
        gc.freeze()
        with Path(self.plan["out"]).open("a") as out:
            for fields in self.plan["mutants"]:
                mutant = Mutant(**{name: fields[name] for name in Mutant.__slots__})
                result = mutant.as_dict() | self.try_mutant(mutant, fields.get("candidates", []))
                out.write(json.dumps(result) + "\n")
                out.flush()
        return True

    def _make_database(self, session: pytest.Session) -> None:
        """Run one test that uses the database, so that children find the session's fixtures."""
        using: list[Any] = [item for item in session.items if "db" in item.fixturenames]  # type: ignore[attr-defined]
        primer = min(using, key=lambda item: (len(item.fixturenames), item.nodeid))
        # What belongs to the test's own folder is torn down for a test of another one.
        other = next(item for item in session.items if item.path.parent != primer.path.parent)
        reports = runtestprotocol(primer, log=False, nextitem=other)
        assert all(report.passed for report in reports), reports

    def _tests_for(self, mutant: Mutant, candidates: list[str]) -> list[str]:
        """Return the tests to try: candidates of an earlier run, or what the map says.

        Without a map, tests that came later are found by their words alone.
        """
        most = self.plan["tests"]
        known = [test for test in candidates if test in self.items]
        if self.map:
            others = self.map.tests_for(mutant, self.relevance, most, self.plan["seconds"])
        else:
            others = self.relevance.order(mutant, self.items)[:most]
        turns = chain.from_iterable(zip_longest(known, others))
        chosen = dict.fromkeys(test for test in turns if test in self.items)
        return [test for test in chosen if self.controls.get(test, True)][:most]

    def try_mutant(self, mutant: Mutant, candidates: list[str]) -> dict[str, Any]:
        """Return whether a test killed the mutant, and which."""
        started = time.monotonic()
        seconds = self.plan["seconds"]
        tests = self._tests_for(mutant, candidates)
        result: dict[str, Any] = {"state": "unreached", "tests": 0, "killer": ""}
        result["candidates"] = tests[:KEPT]
        while tests:
            status, at = self._run(tests, mutant, 30 + seconds * 4)
            result["tests"] += at + 1
            if status == PASSED:
                result["state"] = "survived"
                break
            if status in (UNCHANGED, BROKEN):
                result["state"] = "unchanged" if status == UNCHANGED else "not made"
                break
            if self._passes_without(tests[at]):
                result |= {"state": "killed", "killer": tests[at]}
                result["candidates"] = [tests[at], *result["candidates"]]
                result["state"] = "timeout" if status == signal.SIGKILL else "killed"
                break
            # The test also fails without the mutant, so its result means nothing.
            tests = tests[at + 1 :]
            result["state"] = "survived"
        return result | {"seconds": round(time.monotonic() - started, 2)}

    def _passes_without(self, test: str) -> bool:
        if test not in self.controls:
            self.controls[test] = self._run([test], None, 120)[0] == PASSED
        return self.controls[test]

    def _run(self, tests: list[str], mutant: Mutant | None, seconds: float) -> tuple[int, int]:
        """Run tests in a child until one fails; return its exit status and which test it was."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            self._child(tests, mutant, writer)
        os.close(writer)
        status = self._wait(pid, time.monotonic() + seconds)
        with os.fdopen(reader, "rb") as pipe:
            done = len(pipe.read())
        return status, min(max(done - 1, 0), len(tests) - 1)

    def _wait(self, pid: int, until: float) -> int:
        pause = 0.002
        while True:
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > until:
                os.killpg(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return signal.SIGKILL
            time.sleep(pause)
            pause = min(pause * 1.3, 0.05)

    def _child(self, tests: list[str], mutant: Mutant | None, writer: int) -> None:
        status = BROKEN
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            if mutant:
                self.patcher.apply(mutant)
            status = FAILED
            status = self._tests(tests, writer)
        except Unchanged:
            status = UNCHANGED
        except BaseException as error:  # noqa: BLE001 - whatever it is ends the child only
            made = status == FAILED
            sys.__stderr__.write(f"{mutant and mutant.id}: {error!r}\n" * (not made))
        finally:
            os._exit(status)

    def _tests(self, tests: list[str], writer: int) -> int:
        items = [self.items[test] for test in tests]
        for item, following in zip(items, [*items[1:], None], strict=True):
            os.write(writer, b".")
            # The last test needs no teardown of the session: the process ends.
            reports = runtestprotocol(item, log=False, nextitem=following or items[0])
            if any(report.failed for report in reports):
                return FAILED
        return PASSED


def pytest_configure(config: pytest.Config) -> None:
    plan = json.loads(Path(os.environ["MUTANTS_PLAN"]).read_text())
    config.pluginmanager.register(Runner(plan))
