"""Serializers and fields that several rooms use."""

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from django.urls import get_script_prefix, reverse
from django.utils.datastructures import MultiValueDict
from django.utils.dateparse import parse_duration
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request
from rest_framework.utils import html

from ..db.compiled import Rows
from ..parsing import LossyJSON, json_of

# No duration has more.
MAX_DIGITS = 20


def api_root(request: Request) -> str:
    """Return the absolute URL of the API by which this client reached it, without a final slash."""
    path = _root_path(request.resolver_match.namespace, get_script_prefix())
    return f"{request.scheme}://{request.get_host()}{path}"


@cache
def _root_path(namespace: str, script_prefix: str) -> str:
    """Return the path of the API's root, which begins with the script prefix."""
    return reverse(f"{namespace}:api-root").rstrip("/")


class WireSerializer(serializers.Serializer):
    """Builds the response objects of any number of assets with a constant number of queries.

    The declared fields describe `objects` in the schema, and a test compares the two. They are not
    used to answer requests.
    """

    rows: ClassVar[Rows]

    def objects(self, rows: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        """Return the objects of some `rows`, in their order."""
        raise NotImplementedError

    def of(self, keys: Collection[str]) -> list[dict[str, Any]]:
        """Return the objects of the assets with these keys, as texts, in any order."""
        return self.objects(self.rows(keys))

    def by_key(self, keys: Collection[str]) -> dict[str, dict[str, Any]]:
        """Return the objects by key; unknown keys are missing."""
        return {item["key"]: item for item in self.of(keys)}

    def represent(self, keys: Iterable[UUID]) -> list[dict[str, Any]]:
        """Return the objects of these keys in their order; unknown keys are left out."""
        texts = [str(key) for key in keys]
        found = self.by_key(texts)
        return [found[key] for key in texts if key in found]

    def page(self, listed: Sequence[Any]) -> list[dict[str, Any]]:
        """Return the objects of a page of a listing of keys that shows `rows`."""
        if listed and isinstance(listed[0], tuple):
            return self.objects([row[: len(self.rows.columns)] for row in listed])
        return self.represent([row["pk"] for row in listed])

    @property
    def base_url(self) -> str:
        """The absolute URL of the API, without a final slash."""
        return api_root(self.context["request"])


class FileSerializer(serializers.Serializer):
    """Describes a file in a response, for the schema."""

    checksum = serializers.CharField(help_text="sha256, 64 hexadecimal digits")
    storage_address = serializers.URLField()


class TextSerializerField(serializers.CharField):
    """A text without DRF's own checks, which are left to the rules; absent and null are empty."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"allow_blank": True, "trim_whitespace": False, **kwargs})

    def run_validation(self, data: Any = empty) -> Any:
        return "" if data is empty or data is None else data


class JSONValueField(serializers.JSONField):
    """A JSON value; in a form, a text that is parsed as strictly as a JSON body."""

    def to_internal_value(self, data: Any) -> Any:
        if not (self.binary or getattr(data, "is_json_string", False)):
            return data
        # DRF marks a form's text with its own subclass of str, which orjson does not accept.
        text = data if isinstance(data, bytes) else str(data)
        try:
            return json_of(text)
        except LossyJSON as error:
            raise serializers.ValidationError(str(error)) from error
        except ValueError:
            self.fail("invalid")


class OptionalJSONField(JSONValueField):
    """A JSON object; absent, null and, in a form, blank values are an empty object."""

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
    """Metadata, which the rules check."""


def file_part(help_text: str) -> serializers.FileField:
    """Return a field for a file of a multipart body; the rules check that it is there."""
    return serializers.FileField(required=False, allow_empty_file=True, help_text=help_text)


def by_name(files: MultiValueDict) -> dict[str, Any]:
    """Return every file of a multipart body by a name; equal part names get a number."""
    found: dict[str, Any] = {}
    for name, uploads in files.lists():
        for index, upload in enumerate(uploads):
            found[f"{name}[{index}]" if index else name] = upload
    return found


class MicrosecondsField(serializers.IntegerField):
    """Whole microseconds; in a request also a text such as `0:00:20.5`, as some programs send."""

    default_error_messages = {
        "invalid": 'This is no duration. Send whole microseconds, or a text such as "0:00:20.5".'
    }

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, int) and not isinstance(data, bool):
            return data
        text = data.strip() if isinstance(data, str) else ""
        # A form has texts only.
        if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS:
            return int(text)
        try:
            span = parse_duration(text) if ":" in text else None
        except (ValueError, OverflowError):
            span = None
        if span is None:
            self.fail("invalid")
        return span // timedelta(microseconds=1)


class StepSerializer(serializers.Serializer):
    """One step of a task or of a build, and how long it took."""

    step = serializers.CharField()
    duration = MicrosecondsField(help_text="microseconds")


class NameSerializer(serializers.Serializer):
    """The body of an update: only the name can change."""

    name = TextSerializerField()
