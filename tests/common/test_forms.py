"""Fields that read structured values out of a text area."""

import pytest
from django.core.exceptions import ValidationError

from assets.common.forms.fields import JSONTextField, MetadataFormField

READ = {
    "blank": ("  \n ", {}),
    "one line": ("ward: 7", {"ward": "7"}),
    "several lines, some blank": ("a: 1\n\n b :2 \r\nc:", {"a": "1", "b": "2", "c": ""}),
    "a colon in the value": ("at: 10:30", {"at": "10:30"}),
    "a blank key is for the rules to refuse": (": 1", {"": "1"}),
    "an object": ('{"a b": "1", "c:d": ""}', {"a b": "1", "c:d": ""}),
    "an object with what is no text": ('{"a": 1, "b": null}', {"a": 1, "b": None}),
    "an object after spaces": (' \n {"a": "1"}', {"a": "1"}),
}


@pytest.mark.parametrize(("text", "value"), READ.values(), ids=READ)
def test_metadata_is_read(text, value):
    assert MetadataFormField().clean(text) == value


UNREAD = {
    "no colon": ("a: 1\nb", 'Line 2: write "b" as "key: value".'),
    "a key twice": (
        "a: 1\nb: 2\na: 3",
        'Line 3: the key "a" is already used. Remove one of the two.',
    ),
    "a list": ("[1]", 'Line 1: write "[1]" as "key: value".'),
    "an object that does not end": ('{"a": "1"', "This is not JSON"),
}


@pytest.mark.parametrize(("text", "message"), UNREAD.values(), ids=UNREAD)
def test_metadata_that_cannot_be_read(text, message):
    with pytest.raises(ValidationError) as refused:
        MetadataFormField().clean(text)
    assert refused.value.messages[0].startswith(message)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param({"a": "1", "b": ""}, "a: 1\nb: ", id="lines"),
        pytest.param({"a:b": "1"}, '{\n  "a:b": "1"\n}', id="what lines cannot say"),
        pytest.param({"a": "two\nlines"}, '{\n  "a": "two\\nlines"\n}', id="a line break"),
        pytest.param({"a": " b"}, '{\n  "a": " b"\n}', id="spaces at the ends"),
        pytest.param("as typed", "as typed", id="what was typed"),
    ],
)
def test_metadata_is_shown_as_it_can_be_read(value, shown):
    field = MetadataFormField()
    assert field.prepare_value(value) == shown
    if isinstance(value, dict):
        assert field.clean(shown) == value


@pytest.mark.parametrize(
    ("text", "value"), [("", None), ("[1]", [1]), ('{"a": null}', {"a": None}), ("7", 7)]
)
def test_json(text, value):
    assert JSONTextField(required=False).clean(text) == value


@pytest.mark.parametrize(
    "text", ["{", "[1,]", "NaN", '"\\ud800"', "[" * 3000, "nonsense"], ids=lambda text: text[:9]
)
def test_what_is_not_json(text):
    with pytest.raises(ValidationError, match=r"This is not JSON: .+ at line 1, column \d+\."):
        JSONTextField().clean(text)
