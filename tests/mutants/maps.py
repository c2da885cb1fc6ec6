"""Which tests to try on a mutant: those that run the block in question, the most specific first."""

import json
from collections import defaultdict
from pathlib import Path

from .mutants import Mutant, blocks_to_run
from .relevance import Relevance


class TestMap:
    """Reads the map that a traced run of the suite wrote."""

    __test__ = False

    def __init__(self, folder: Path) -> None:
        self.seconds: dict[str, float] = {}
        self.sizes: dict[str, int] = {}
        self.tests: dict[str, list[str]] = defaultdict(list)
        for path in sorted(folder.glob("map.*.jsonl")):
            *rows, last = path.read_text().splitlines()
            keys = json.loads(last)["keys"]
            for line in rows:
                row = json.loads(line)
                if not row["passed"]:
                    continue
                self.seconds[row["test"]] = row["seconds"]
                self.sizes[row["test"]] = len(row["blocks"])
                for number in row["blocks"]:
                    self.tests[keys[number]].append(row["test"])

    def tests_for(
        self, mutant: Mutant, relevance: Relevance, most: int, seconds: float
    ) -> list[str]:
        """Return at most `most` tests that take at most about `seconds`, in the order to try.

        In turn: the most relevant and the cheapest test of each branch in question, and of all.
        """
        groups, blocks = blocks_to_run(mutant)
        queues = []
        for group in (*groups, blocks):
            tests = self._ordered(group)
            queues += [relevance.order(mutant, tests), tests]
        chosen: dict[str, None] = {}
        total = 0.0
        for at in range(most):
            for test in (queue[at] for queue in queues if at < len(queue)):
                total += self.seconds[test] if test not in chosen else 0
                if not chosen or total <= seconds:
                    chosen[test] = None
        return list(chosen)[:most]

    def _ordered(self, blocks: list[str]) -> list[str]:
        """Return the tests of blocks: one of each test function in turn, cheap and narrow first."""
        tests = {test for block in blocks for test in self.tests.get(block, ())}
        families: dict[str, list[str]] = defaultdict(list)
        for test in sorted(tests, key=self._cost):
            families[test.partition("[")[0]].append(test)
        queues = sorted(families.values(), key=lambda queue: self._cost(queue[0]))
        longest = max(map(len, queues), default=0)
        return [queue[at] for at in range(longest) for queue in queues if at < len(queue)]

    def _cost(self, test: str) -> tuple[float, str]:
        return self.seconds[test] + self.sizes[test] / 2000, test
