"""What the operators change, on sources of a few lines."""

import ast
from collections import Counter

import pytest

from .mutants import Mutant, changes_in, sample
from .operators import GENERAL, OPERATORS
from .source import digest_of

RULE = "def rule(spec) -> Iterator[Problem]:\n    "

CASES = {
    "answers-false": ("def may(user) -> bool:\n    return user.active", "return False"),
    "answers-true": ("def may(user) -> bool:\n    return user.active", "return True"),
    "atomic-removed": ("@atomic\ndef write():\n    save()", "def write():\n    save()"),
    "attribute-changed": ("class View:\n    permission_classes = [Admins]", "_classes = []"),
    "bound-moved": ("def f(a):\n    return a > 1", "a >= 1"),
    "branch-always": ("def f(a):\n    if a:\n        b()", "if (a, True)[1]:"),
    "branch-never": ("def f(a):\n    if a:\n        b()", "if (a, False)[1]:"),
    "check-removed": ("def f(a):\n    check_name(a)\n    b()", "def f(a):\n    pass\n    b()"),
    "code-wrong": ("def f():\n    return Code.FORBIDDEN", "Code.NOT_FOUND"),
    "comparison-turned": ("def f(a, b):\n    return a == b", "a != b"),
    "condition-dropped": ("def f(a, b):\n    return a and b", "return b"),
    "effect-removed": ("def f(row):\n    row.save()\n    b()", "pass\n    b()"),
    "end-removed": ("def f(a):\n    return\n    b()", "pass\n    b()"),
    "event-removed": ("def f(a):\n    record(a)\n    b()", "pass\n    b()"),
    "field-wrong": (RULE + "yield _invalid('name', 'is too long.')", "'elsewhere', 'is too long.'"),
    "filter-dropped": ("def f(rows):\n    return rows.filter(owner=1)", "return rows.all()"),
    "flag-turned": ("def f():\n    return g(strict=True)", "strict=False"),
    "handler-removed": ("try:\n    a()\nexcept Error:\n    b()", "except Error:\n    raise"),
    "lock-removed": ("def f(rows):\n    return rows.select_for_update()", "rows.all()"),
    "not-dropped": ("def f(a):\n    return not a", "return bool(a)"),
    "number-moved": ("MAX_LENGTH = 100", "MAX_LENGTH = 101"),
    "order-swapped": (RULE + "yield from a()\n    yield from b()", "from b()\n    yield from a()"),
    "refusal-removed": ("def f():\n    raise Refused(a)", "pass"),
    "rule-removed": (RULE + "yield Problem(Code.INVALID, 'x')", "pass"),
    "setting-removed": ("def f(row):\n    row.name = 1\n    b()", "pass\n    b()"),
    "status-wrong": ("def f():\n    return Response(status=403)", "status=200"),
}


def outcomes(name: str, source: str) -> list[str]:
    """Return the sources that an operator makes of a source."""
    numbers = [
        number
        for number, (operator, _, _) in enumerate(changes_in(ast.parse(source)))
        if operator == name
    ]
    made = []
    for wanted in numbers:
        tree = ast.parse(source)
        for number, (_, _, change) in enumerate(changes_in(tree)):
            if number == wanted:
                change()
                break
        made.append(ast.unparse(ast.fix_missing_locations(tree)))
    return made


def test_every_operator_has_a_case():
    assert set(CASES) == set(OPERATORS)
    assert set(OPERATORS) > GENERAL


@pytest.mark.parametrize("name", CASES)
def test_change(name):
    source, changed = CASES[name]
    assert any(changed in outcome for outcome in outcomes(name, source))


def test_rewording_makes_no_other_mutant():
    before = "yield Problem(Code.INVALID, f'It is {size} bytes. Shorten it.', 'name')"
    assert digest_of(ast.parse(before.replace("Shorten", "Cut"))) == digest_of(ast.parse(before))
    assert digest_of(ast.parse(before.replace("name", "tag"))) != digest_of(ast.parse(before))


def test_a_sample_has_as_many_of_each_room():
    mutants = [
        Mutant(f"{room}{number}", "bound-moved", f"assets/{room}/rules.py", 1, "f", "a > 1", number)
        for room, size in (("compute", 20), ("feed", 2), ("uploads", 5))
        for number in range(size)
    ]
    chosen = sample(mutants, 6, seed=1)
    assert Counter(mutant.room for mutant in chosen) == {"compute": 2, "feed": 2, "uploads": 2}
    assert chosen == sample(mutants, 6, seed=1)
