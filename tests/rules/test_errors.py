"""Error codes and their HTTP statuses. Contract 3.9."""

import pytest

from assets.common.errors import Code, Problem, Refused
from assets.common.kinds import AssetKind

CODES = {
    "OE0101": 400,
    "OE0003": 400,
    "OE0102": 403,
    "OE0002": 404,
    "OE0006": 409,
    "OE0109": 400,
    "OE0012": 422,  # our own: an Idempotency-Key that was used for another request
}


def test_codes():
    assert {code.label: code.status for code in Code} == CODES


def test_the_first_problem_decides():
    problems = [Problem(Code.CONFLICT, "taken", "key"), Problem(Code.INVALID, "bad", "name")]
    refused = Refused(iter(problems))
    assert refused.status == 409
    assert refused.problems == problems
    assert str(refused) == "OE0006: key: taken"


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            Problem(Code.INVALID, "cannot be blank.", "name", "function"),
            "OE0101: function is not valid: name: cannot be blank.",
        ),
        (Problem(Code.FORBIDDEN, "no.", "name", "function"), "OE0102: name: no."),
        (Problem(Code.BAD_REQUEST, "no."), "OE0003: no."),
    ],
)
def test_text(problem, text):
    assert problem.text == text


def test_paths_grow_from_the_left():
    problem = Problem(Code.INVALID, "no.", "key").below("inputs[0]").below("tasks[3]")
    assert problem.field == "tasks[3].inputs[0].key"
    assert Problem(Code.INVALID, "no.").below("tasks[3]").field == "tasks[3]"


WORDS = "organization datasample datamanager function computetask computeplan model performance"


def test_asset_words():
    assert [kind.word for kind in AssetKind] == [*WORDS.split(), "failurereport"]
