"""Inputs as values: which are one group, how they are read, and what their digest is."""

from uuid import UUID, uuid4

import msgspec
import orjson
import pytest

from assets.common.asset_keys import AssetKeys
from assets.compute.inputs import InputGroup, InputRef, grouped
from assets.compute.specs import OutputSpec, TaskSpec, parse_tasks
from assets.permissions.specs import PermissionsSpec

KEYS = [UUID(int=number) for number in range(10)]


def keys(*numbers):
    return AssetKeys(KEYS[number] for number in numbers)


def test_a_digest_is_what_it_has_always_been():
    """Tasks that are registered already are known by it."""
    refs = [
        InputRef('op"é', KEYS[4]),
        *(InputRef("datasamples", KEYS[number]) for number in (7, 5, 7, 6)),
        InputRef("shared", None, KEYS[8], "model"),
        InputRef("datasamples", KEYS[9]),
    ]
    outputs = {"model": OutputSpec(PermissionsSpec(False, ("B", "A")), True)}
    spec = TaskSpec(
        *(KEYS[1], KEYS[2], "W", KEYS[3], "tag", {"b": "2", "a": "1"}, grouped(refs), outputs)
    )
    assert spec.digest("C") == "b8cdd243937f6730c5b7189bc84a201154f4bdae78355a07af856d8fe7904b5c"


GROUPS = {
    "one identifier": ([("a", 1), ("a", 2), ("a", 1)], [("a", keys(1, 2, 1))]),
    "two identifiers": ([("a", 1), ("b", 1)], [("a", keys(1)), ("b", keys(1))]),
    "interrupted": (
        [("a", 1), ("b", 2), ("a", 3)],
        [("a", keys(1)), ("b", keys(2)), ("a", keys(3))],
    ),
    "a parent between": (
        [("a", 1), ("a", None, 5, "model"), ("a", 2)],
        [("a", keys(1)), ("a", AssetKeys(), KEYS[5], "model"), ("a", keys(2))],
    ),
    "parents stay apart": (
        [("a", None, 5, "model")] * 2,
        [("a", AssetKeys(), KEYS[5], "model")] * 2,
    ),
    "no source": ([("a",), ("a",)], [("a",), ("a",)]),
    "two sources": ([("a", 1, 5, "m")] * 2, [("a", keys(1), KEYS[5], "m")] * 2),
}


def ref(identifier, asset=None, parent=None, output=None):
    keys = [None if number is None else KEYS[number] for number in (asset, parent)]
    return InputRef(identifier, *keys, output)


def wire(identifier, asset=None, parent=None, output=None):
    return {
        "identifier": identifier,
        "asset_key": None if asset is None else str(KEYS[asset]),
        "parent_task_key": None if parent is None else str(KEYS[parent]),
        "parent_task_output_identifier": output,
    }


def read(*inputs, text=None):
    """Read tasks, one for each list of inputs, decoded or as the text of a large body."""
    tasks = [
        {
            "key": str(uuid4()),
            "function_key": str(KEYS[0]),
            "inputs": msgspec.Raw(text(found)) if text else found,
        }
        for found in inputs
    ]
    specs, problems = parse_tasks({"tasks": tasks})
    return [spec.inputs for spec in specs], [
        (problem.field, problem.message) for problem in problems
    ]


def spaced(value):
    return orjson.dumps(value, option=orjson.OPT_INDENT_2)


SPELLINGS = pytest.mark.parametrize("text", [None, orjson.dumps, spaced])


@SPELLINGS
@pytest.mark.parametrize(("inputs", "expected"), GROUPS.values(), ids=GROUPS)
def test_what_follows_each_other_is_one_group(inputs, expected, text):
    groups = tuple(InputGroup(*values) for values in expected)
    assert read([wire(*values) for values in inputs], text=text) == ([groups], [])
    assert [ref for group in groups for ref in group.refs] == [ref(*values) for values in inputs]
    assert grouped(ref(*values) for values in inputs) == groups


@SPELLINGS
def test_equal_lists_are_one_object(text):
    first, second = read(
        *([wire("a", 1), wire("a", 2), wire("b", None, parent, "m")] for parent in (3, 4)),
        text=text,
    )[0]
    assert first[0].asset_keys is second[0].asset_keys
    assert first != second


WRONG = {
    "no object": ([wire("a", 1), 7], "inputs[1]", "must be an object."),
    "no text": (
        [wire("a", 1), {**wire("a", 2), "identifier": 7}],
        "inputs[1].identifier",
        "must be a string.",
    ),
    "no key": (
        [wire("a", 1), {**wire("a"), "asset_key": "x"}],
        "inputs[1].asset_key",
        "not a valid UUID",
    ),
    "no list": ({"a": 1}, "inputs", "must be a list."),
    "a text": ("a", "inputs", "must be a list."),
}


@SPELLINGS
@pytest.mark.parametrize(("inputs", "field", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_in_every_task(inputs, field, message, text):
    right = [wire("a", 1), wire("a", 2)]
    specs, problems = read(inputs, right, inputs, text=text)
    assert len(specs) == 1
    assert [found for found, _ in problems] == [f"tasks[0].{field}", f"tasks[2].{field}"]
    assert all(message in found for _, found in problems)


@pytest.mark.parametrize("text", [None, orjson.dumps])
def test_null_is_no_inputs(text):
    assert read(None, [], text=text) == ([(), ()], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'[{"identifier": "a", "identifier": "b"}]', 'the key "identifier" twice'),
        (b'[{"identifier": "a"},]', None),
        (b'[{"identifier": "a"', None),
        (b'[{"identifier": "\xff"}]', None),
        (b'[{"identifier": NaN}]', None),
    ],
)
def test_what_is_not_json_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        read([], text=lambda _inputs: text)
