"""Form fields that read structured values out of a text area: JSON, and metadata."""

from collections.abc import Mapping
from typing import Any

import orjson
from django import forms
from django.core.exceptions import ValidationError

from ..parsing import Unkept, json_of
from .spec_form import DeferredValidationMixin

# Of the 254 levels that can be written, how many are left to what holds the value.
ROOM_AROUND = 150


def read_json(text: str) -> Any:
    """Return what the JSON text holds; raise ValidationError that says where it ends to be JSON.

    What is nested more deeply than can be written again is refused, and a key that is given twice.
    """
    try:
        return json_of(text, around=ROOM_AROUND)
    except Unkept as error:
        raise ValidationError(f"This {error}", code="json") from error
    except orjson.JSONDecodeError as error:
        raise ValidationError(
            "This is not JSON: %(what)s at line %(line)d, column %(column)d.",
            code="json",
            params={"what": error.msg, "line": error.lineno, "column": error.colno},
        ) from error


class JSONTextField(forms.CharField):
    """JSON typed or pasted: its value, or None when blank."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return read_json(text) if text else None


def read_metadata(text: str) -> dict[str, Any]:
    """Return metadata from a JSON object, or from lines such as ``modality: MRI``.

    Keys and values are not judged; that a key is given twice is, because one would be lost.
    """
    text = text.removeprefix("\ufeff")  # the mark of a file that was pasted
    if text.lstrip().startswith("{"):
        return dict(read_json(text))
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon and key:
            raise ValidationError(
                'Line %(number)d: write "%(line)s" as "key: value".',
                code="metadata_line",
                params={"number": number, "line": line.strip()[:100]},
            )
        if key in found:
            raise ValidationError(
                'Line %(number)d: the key "%(key)s" is given twice; keep one.',
                code="metadata_twice",
                params={"number": number, "key": key},
            )
        if colon:
            found[key] = value
    return found


class MetadataFormField(DeferredValidationMixin, forms.CharField):
    """Metadata as text: one ``key: value`` a line, or a JSON object; the rules say the rest."""

    widget = forms.Textarea

    def __init__(self, **options: Any) -> None:
        options = {
            "label": "Metadata",
            "required": False,
            "help_text": 'One "key: value" a line, or a JSON object of texts. No "__" in a key.',
            "widget": forms.Textarea(attrs={"rows": 4}),
            **options,
        }
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        return read_metadata(super().to_python(value) or "")

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        lines = "\n".join(f"{key}: {item}" for key, item in value.items())
        try:
            plain = read_metadata(lines) == value
        except ValidationError:
            plain = False
        # What lines cannot say, such as a key with a colon, is shown as JSON.
        return lines if plain else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
