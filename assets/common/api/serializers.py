"""Pieces of serializers that several rooms use."""

from typing import Any

from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.utils import html

from ..parsing import LossyJSON, json_of


class FileSerializer(serializers.Serializer):
    """Documents a file of a response."""

    checksum = serializers.CharField(help_text="sha256, 64 hexadecimal digits")
    storage_address = serializers.URLField()


class TextSerializerField(serializers.CharField):
    """A text as it comes; absent and null are empty, the rules say the rest."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, "trim_whitespace": False, **kwargs})

    def run_validation(self, data: Any = empty) -> Any:
        return "" if data is empty or data is None else data


class JSONValueField(serializers.JSONField):
    """A value of a JSON body as it comes; in a form its text, read as strictly as a body."""

    def to_internal_value(self, data: Any) -> Any:
        if not (self.binary or getattr(data, "is_json_string", False)):
            return data
        # DRF marks a form's text by a class of its own, which is no text to the reader of JSON.
        text = data if isinstance(data, bytes) else str(data)
        try:
            return json_of(text)
        except LossyJSON as error:
            raise serializers.ValidationError(str(error)) from error
        except ValueError:
            self.fail("invalid")


class OptionalJSONField(JSONValueField):
    """An object as it comes; absent, null and, in a form, blank are empty."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs = {"required": False, "allow_null": True, "default": dict, **kwargs}
        super().__init__(**kwargs)

    def get_value(self, dictionary: Any) -> Any:
        blank = html.is_html_input(dictionary) and dictionary.get(self.field_name) == ""
        return empty if blank else super().get_value(dictionary)

    def run_validation(self, data: Any = empty) -> Any:
        value = super().run_validation(data)
        return {} if value is None else value


class MetadataSerializerField(OptionalJSONField):
    """Metadata; the rules say what is legal."""


def file_part(help_text: str) -> serializers.FileField:
    """A file of a multipart body; that it is missing or empty is for the rules to say."""
    return serializers.FileField(required=False, allow_empty_file=True, help_text=help_text)


def by_name(files: MultiValueDict) -> dict[str, Any]:
    """Return every file of a multipart body, also those whose part names are equal."""
    found: dict[str, Any] = {}
    for name, uploads in files.lists():
        for index, upload in enumerate(uploads):
            found[f"{name}[{index}]" if index else name] = upload
    return found
