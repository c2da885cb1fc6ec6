"""How much a test is about a mutant, by the words that both use."""

import ast
import inspect
import math
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache

import pytest

from .blocks import ROOT
from .mutants import Mutant

# Words of tests about what an operator breaks.
HINTS = {
    "answers-false": "permission access rights matrix may",
    "answers-true": "permission access rights matrix may refused",
    "atomic-removed": "atomic together twice lost repeat fails nothing written",
    "bound-moved": "bound limit long most size exactly",
    "event-removed": "audit event events feed log news recorded",
    "field-wrong": "field problems path",
    "filter-dropped": "filter other others only lists search",
    "lock-removed": "once concurrent threads together",
    "number-moved": "bound limit long most size exactly",
    "order-swapped": "first order precedence earlier later before",
    "status-wrong": "status status_code",
}
_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]{2,}")
# How much words of the function around a mutant count, relative to those of the statement.
AROUND = 0.4


def words_of(text: str) -> list[str]:
    """Return the words of names and texts, in lower case and without a plural's s."""
    return [word.lower().removesuffix("s") for word in _WORD.findall(text)]


class Relevance:
    """The words of every test, and how rare each is."""

    def __init__(self, items: Iterable[pytest.Item]) -> None:
        self.words: dict[str, set[str]] = {}
        for item in items:
            source = _source(getattr(item, "function", None))
            self.words[item.nodeid] = set(words_of(item.nodeid)) | source
        counts = Counter(word for words in self.words.values() for word in words)
        self.weights = {word: math.log(len(self.words) / count) for word, count in counts.items()}

    def order(self, mutant: Mutant, tests: Iterable[str]) -> list[str]:
        """Return the tests, the most relevant first; two of a family at a time."""
        wanted = _words_of_mutant(mutant)
        scores = {test: self._score(test, wanted) for test in tests if test in self.words}
        ordered = sorted(scores, key=lambda test: (-scores[test], test))
        turns: Counter[str] = Counter()
        turn_of = {}
        for test in ordered:
            family = test.partition("[")[0]
            turn_of[test] = turns[family]
            turns[family] += 1
        return sorted(ordered, key=lambda test: turn_of[test] // 2)

    def _score(self, test: str, wanted: dict[str, float]) -> float:
        words = self.words[test]
        score = sum(weight * self.weights[word] for word, weight in wanted.items() if word in words)
        return score / math.log(20 + len(words))


@cache
def _source(function: object) -> set[str]:
    try:
        return set(words_of(inspect.getsource(function)))  # type: ignore[arg-type]
    except (OSError, TypeError):
        return set()


def _words_of_mutant(mutant: Mutant) -> dict[str, float]:
    tree = ast.parse((ROOT / mutant.path).read_text(encoding="utf-8"))
    name = mutant.function.split(".")[-1]
    around = [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name == name
        and node.lineno <= mutant.line <= (node.end_lineno or 0)
    ]
    words = dict.fromkeys(words_of(" ".join((mutant.path, *around))), AROUND)
    text = f"{mutant.function} {mutant.statement} {HINTS.get(mutant.operator, '')}"
    return words | dict.fromkeys(words_of(text), 1.0)
