"""A large JSON object is read as a small one, a part of its list at a time."""

import io
from typing import Any

import msgspec
import orjson
import pytest

from assets.common import large_json
from assets.common.large_json import LargeItems, large_object
from assets.common.parsing import json_of

PART = 400


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch):
    monkeypatch.setattr(large_json, "PART", PART)
    monkeypatch.setattr(large_json, "LARGEST_ITEM", 40 * PART)
    monkeypatch.setattr(large_json, "SMALL_ITEM", 50)


def read(text: bytes) -> Any:
    """Return the object with all of its items, and what is kept of them decoded."""
    value = large_object(io.BytesIO(text), "tasks", "inputs")
    if isinstance(value, dict) and isinstance(value.get("tasks"), LargeItems):
        value["tasks"] = [_decoded(item) for item in value["tasks"]]
    return value


def _decoded(item: Any) -> Any:
    if isinstance(item, dict) and isinstance(item.get("inputs"), msgspec.Raw):
        return item | {"inputs": orjson.loads(memoryview(item["inputs"]))}
    return item


def task(number: int, **members: Any) -> dict[str, Any]:
    inputs = [{"identifier": 'é"\\', "asset_key": None}] * (number % 4)
    return {"key": f"task {number}", "metadata": {"key": "]}, {"}, "inputs": inputs, **members}


TASKS = [task(number) for number in range(40)]
PLANS: dict[str, Any] = {
    "the list last": {"key": "k", "name": "n", "tasks": TASKS},
    "the list first": {"tasks": TASKS, "key": "k", "metadata": {"tasks": [1]}},
    "another list before it": {"metadata": {"tasks": [{"key": [1]}]}, "tasks": TASKS},
    "no list": {"key": "k" * 3 * PART},
    "not a list": {"tasks": {"key": ["x"] * PART}},
    "null": {"tasks": None, "key": "k" * PART},
    "an empty list": {"tasks": [], "key": "k" * PART},
    "items that are no objects": {"tasks": ["text", [[]], None, 1.5, *range(PART)]},
    "objects among others": {"tasks": [*TASKS, "text", *TASKS, 7, {}, *TASKS]},
    "empty objects": {"tasks": [{}] * PART},
    "a long item": {"tasks": [*TASKS, task(3, tag="x" * 3 * PART), *TASKS]},
    "a long value at the end": {"tasks": TASKS, "name": "x" * 3 * PART},
    "no object": TASKS,
}


@pytest.mark.parametrize("spelled", ["compact", "spaces", "lines"])
@pytest.mark.parametrize("plan", PLANS)
def test_it_is_read_as_a_small_one(plan, spelled):
    text = orjson.dumps(PLANS[plan])
    if spelled == "spaces":
        text = b" ".join(orjson.dumps(PLANS[plan], option=orjson.OPT_INDENT_2).split())
    elif spelled == "lines":
        text = orjson.dumps(PLANS[plan], option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n\t")
    assert read(text) == json_of(text) == PLANS[plan]


def test_it_is_read_in_parts_and_can_be_read_again():
    class File(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            assert 0 < (size or 0) <= PART
            return super().read(size)

    file = File(orjson.dumps(PLANS["the list last"]))
    items = large_object(file, "tasks", "inputs")["tasks"]
    for _ in range(2):
        assert [_decoded(item) for item in items] == TASKS


def test_what_is_kept_of_a_large_item_is_not_decoded():
    text = b'{"tasks":[%s, {"key": "small", "inputs": [] }]}' % orjson.dumps(TASKS[3])
    large, small = large_object(io.BytesIO(text), "tasks", "inputs")["tasks"]
    assert bytes(memoryview(large["inputs"])) == orjson.dumps(TASKS[3]["inputs"])
    assert small == {"key": "small", "inputs": []}


GOOD = b",".join(map(orjson.dumps, TASKS))
DEEP = b"[" * 300 + b"]" * 300
BROKEN = {
    "cut off": b'{"tasks": [' + GOOD,
    "not closed": b'{"tasks": [' + GOOD + b"]",
    "more after it": b'{"tasks": [' + GOOD + b"]} x",
    "no comma": b'{"tasks": [' + GOOD + b" " + GOOD + b"]}",
    "two commas": b'{"tasks": [' + GOOD + b",," + GOOD + b"]}",
    "no JSON space": b'{"tasks": [' + GOOD + b"\x0c," + GOOD + b"]}",
    "not a number": b'{"tasks": [' + GOOD + b',{"key": NaN},' + GOOD + b"]}",
    "no UTF-8": b'{"tasks": [' + GOOD + b',{"key": "%s\xff"},' % (b"x" * 99) + GOOD + b"]}",
    "no UTF-8 before": b'{"name": "\xff", "tasks": [' + GOOD + b"]}",
    "no UTF-8 in a key": b'{"tasks": [' + GOOD + b',{"\xff%s": 1}]}' % (b"x" * 99),
    "half a pair": b'{"tasks": [' + GOOD + b',{"key": "\\ud800"}]}',
    "too deep": b'{"tasks": [' + GOOD + b',{"key": %s},' % DEEP + GOOD + b"]}",
    "far too deep": b'{"tasks": [{"key": 1}, %s' % (b"[" * 100_000),
}
TWICE = {
    "key": b'{"key": 1, "tag": "%s", "key": 1}' % (b"x" * 99),
    "inputs": b'{"inputs": [%s], "inputs": []}' % GOOD,
    "ward": b'{"metadata": {"ward": 1, "w\\u0061rd": 1}}',
}
TOP = {"name": (b'"name": 1, ', b', "name": 2'), "tasks": (b"", b', "tasks": []')}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_what_is_no_json_is_refused(text):
    for reads in (json_of, read):
        with pytest.raises(ValueError, match="."):
            reads(text)


@pytest.mark.parametrize("key", TWICE)
def test_a_key_is_given_once_in_each_item(key):
    with pytest.raises(ValueError, match=rf'^tasks\[40\]: The JSON has the key "{key}" twice'):
        read(b'{"tasks": [%b, %b, %b]}' % (GOOD, TWICE[key], GOOD))


@pytest.mark.parametrize("key", TOP)
def test_a_key_is_given_once_beside_the_list(key):
    before, after = TOP[key]
    with pytest.raises(ValueError, match=f'^The JSON has the key "{key}" twice'):
        read(b'{%b"tasks": [%b]%b}' % (before, GOOD, after))


def test_an_error_says_where():
    text = b'{"tasks": [' + GOOD + b',{"key": "%s\xff"},' % (b"x" * 99) + GOOD + b"]}"
    with pytest.raises(ValueError, match=r"^tasks\[40\]: "):
        read(text)
    text = b'{"tasks": [' + GOOD + b", oops]}"
    with pytest.raises(ValueError, match=r"invalid character .*, counted from byte \d+$"):
        read(text)


@pytest.mark.parametrize("text", [b'{"tasks": [{"key": "%s"}]}', b'{"name": "%s", "tasks": []}'])
def test_one_item_that_is_too_large(text):
    with pytest.raises(ValueError, match="no item ends within 15.6"):
        read(text % (b"x" * 90 * PART))
