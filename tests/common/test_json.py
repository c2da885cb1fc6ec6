"""JSON is kept as it was sent, or refused."""

import orjson
import pytest
from django.core.exceptions import ValidationError

from assets.common.forms.fields import read_json, read_metadata
from assets.common.parsing import LossyJSON, json_of

KEPT = [
    "{}",
    """{"a": {"a": [{"a": 1}, {"a": 2}]}, "b": "a"}""",
    r"""{"a\"": "\"", "a": "\\", "\\\"": "\u0022\u005c", "c\\": "\\\""}""",
    r"""["\u005c", "\\", "\/", {"\ud83d\ude00": "\n"}, "Été"]""",
]
REPEATED = [
    ("""{"ward": 1, "ward": 2}""", "ward"),
    ("""{"ward": 1, "ward": 1}""", "ward"),
    ("""[{"b": {"ward": {}, "c": 0, "ward": {}}}]""", "ward"),
    (r"""{"\u0061": "\\", "a": "\""}""", "a"),
    ("""{"n": %s, "n": 0}""" % ("1" * 300), "n"),
    ("""{"text \\" \\\\": "", "text \\" \\\\": ""}""", 'text " \\'),
]


@pytest.mark.parametrize("text", KEPT)
@pytest.mark.parametrize("as_bytes", [True, False])
def test_what_is_kept(text, as_bytes):
    assert json_of(text.encode() if as_bytes else text) == orjson.loads(text)


@pytest.mark.parametrize(("text", "key"), REPEATED)
def test_a_key_is_given_once(text, key):
    with pytest.raises(LossyJSON) as refused:
        json_of(text)
    assert f'"{key}" twice' in str(refused.value)


@pytest.mark.parametrize("read", [read_json, read_metadata])
def test_forms_say_which_key(read):
    with pytest.raises(ValidationError, match='The JSON has the key "ward" twice in one object.'):
        read("""{"ward": "7", "ward": "8"}""")
