"""Names, tags, identifiers and metadata: the limits of contract 3.1, wherever they are given."""

import pytest

from assets.common.errors import Code
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec
from tests.builders import dataset_spec, function_spec, plan_spec

from .cases import Case, accepted, refused, table, verify
from .requests import Rename, Tasks

# Whatever carries a name, with the field that a refusal is about.
NAMED = {
    "dataset": lambda world, name: dataset_spec(name=name),
    "function": lambda world, name: function_spec(name=name),
    "plan": lambda world, name: plan_spec(name=name),
    "dataset's rename": lambda world, name: Rename(world.dataset, name),
    "function's rename": lambda world, name: Rename(world.train, name),
    "plan's rename": lambda world, name: Rename(world.plan, name),
}
LENGTH = "the length must be between"
NAMES = {
    "none": ("", "cannot be blank"),
    "spaces only": ("   ", "cannot be blank"),
    "1 byte": ("a", None),
    "100 bytes": ("a" * 100, None),
    "101 bytes": ("a" * 101, LENGTH),
    "50 characters of 2 bytes": ("é" * 50, None),
    "51 characters of 2 bytes": ("é" * 51, "51 characters, but they take 102 bytes"),
    "25 characters of 4 bytes": ("🧬" * 25, None),
    "26 characters of 4 bytes": ("🧬" * 26, "but they take 104 bytes"),
    "99 characters of 101 bytes": ("a" * 97 + "éé", LENGTH),
    "spaces around": (" a b ", None),
    "a control character": ("a\x00b", "U+0000"),
    "a line break": ("a\nb", "U+000A"),
}

TAGGED = {
    "plan": (lambda world, tag: plan_spec(tag=tag), "tag"),
    "task": (lambda world, tag: Tasks([world.task(tag=tag)]), "tasks[0].tag"),
    "dataset's type": (lambda world, text: dataset_spec(type=text), "type"),
}
TAGS = {
    "none": ("", None),
    **{id: row for id, row in NAMES.items() if id not in ("none", "spaces only")},
}

IDENTIFIED = {
    "input": (
        lambda world, text: function_spec(inputs=(FunctionInputSpec(text, "ASSET_MODEL"),)),
        "inputs",
    ),
    "output": (
        lambda world, text: function_spec(outputs=(FunctionOutputSpec(text, "ASSET_MODEL"),)),
        "outputs",
    ),
}
IDENTIFIERS = {**NAMES, "any character": ("a b/ü?#.\"'[0]🧬", None)}

DESCRIBED = {
    "dataset": (lambda world, metadata: dataset_spec(metadata=metadata), "metadata"),
    "function": (lambda world, metadata: function_spec(metadata=metadata), "metadata"),
    "plan": (lambda world, metadata: plan_spec(metadata=metadata), "metadata"),
    "task": (lambda world, metadata: Tasks([world.task(metadata=metadata)]), "tasks[0].metadata"),
}
UNDERSCORES = '"__" cannot be used in a metadata key, please use simple underscore instead'
METADATA = {
    "none": ({}, None),
    "1,000 entries": ({f"key{n}": "value" for n in range(1000)}, None),
    "an empty value": ({"key": ""}, None),
    "a key of 100 bytes": ({"k" * 100: "v"}, None),
    "a key of 101 bytes": ({"k" * 101: "v"}, "is too long"),
    "a key of 50 characters, 100 bytes": ({"é" * 50: "v"}, None),
    "a key of 51 characters, 102 bytes": ({"é" * 51: "v"}, "is too long"),
    "a value of 100 bytes": ({"k": "v" * 100}, None),
    "a value of 101 bytes": ({"k": "v" * 101}, "is too long"),
    "a value of 33 characters, 99 bytes": ({"k": "€" * 33}, None),
    "a value of 34 characters, 102 bytes": ({"k": "€" * 34}, "is too long"),
    "a blank key": ({"": "v"}, "cannot be blank"),
    "one underscore": ({"_a_b_": "v"}, None),
    "two underscores apart": ({"_a_": "v"}, None),
    "two underscores inside": ({"a__b": "v"}, UNDERSCORES),
    "two underscores first": ({"__a": "v"}, UNDERSCORES),
    "two underscores last": ({"a__": "v"}, UNDERSCORES),
    "three underscores": ({"a___b": "v"}, UNDERSCORES),
    "two underscores in a value": ({"a": "b__c"}, None),
    "a whole number": ({"k": 1}, "must be a string"),
    "a fraction": ({"k": 0.5}, "must be a string"),
    "true": ({"k": True}, "must be a string"),
    "null": ({"k": None}, "must be a string"),
    "a list": ({"k": ["v"]}, "must be a string"),
    "an object": ({"k": {"a": "b"}}, "must be a string"),
    "a control character in a key": ({"a\x00": "v"}, "U+0000"),
    "a control character in a value": ({"k": "v\x00"}, "U+0000"),
    "a line break in a key": ({"a\nb": "v"}, "U+000A"),
    "a tab in a key": ({"a\tb": "v"}, "U+0009"),
    "a line break in a value": ({"k": "first\nsecond: x"}, None),
    "line breaks of Windows and tabs around": ({"k": "\ta\r\n"}, None),
    "another control character in a value": ({"k": "a\x0bb"}, "U+000B"),
    "no object": (["k", "v"], "must be an object"),
}


def cases_of(carriers: dict, texts: dict, field: str | None = None) -> list[Case]:
    """Give every text to every carrier."""
    cases = []
    for name, carrier in carriers.items():
        build, where = carrier if isinstance(carrier, tuple) else (carrier, field)
        for id, (text, phrase) in texts.items():

            def request(world, build=build, text=text):
                return build(world, text)

            label = f"{name}: {id}"
            if phrase is None:
                cases.append(accepted(label, request))
            else:
                cases.append(refused(label, request, Code.INVALID, where, phrase))
    return cases


@table(cases_of(NAMED, NAMES, "name"))
def test_name(case, interface, world):
    verify(case, interface, world)


@table(cases_of(TAGGED, TAGS))
def test_tag(case, interface, world):
    verify(case, interface, world)


@table(cases_of(DESCRIBED, METADATA))
def test_metadata(case, interface, world):
    verify(case, interface, world)


@pytest.mark.parametrize("slot", IDENTIFIED)
@pytest.mark.parametrize(("text", "phrase"), IDENTIFIERS.values(), ids=IDENTIFIERS)
def test_identifier(slot, text, phrase, interface, world):
    build, field = IDENTIFIED[slot]
    where = f"{field}.{text[:100]}.identifier"

    def request(world):
        return build(world, text)

    if phrase is None:
        verify(accepted(slot, request), interface, world)
    else:
        verify(refused(slot, request, Code.INVALID, where, phrase), interface, world)
