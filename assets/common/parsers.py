"""Request bodies: JSON, and multipart with the JSON object in a part called `json`."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from .parsing import json_of


def _loads(text: bytes | str) -> Any:
    try:
        return json_of(text)
    except ValueError as error:
        raise ParseError(f"JSON parse error - {error}") from error


class JSONParser(BaseParser):
    """A JSON body."""

    media_type = "application/json"

    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        return _loads(stream.read())


class PartsData(dict):
    """The object of the `json` part; updated with the files, of which the last of a name counts."""

    def copy(self) -> "PartsData":
        return PartsData(self)

    def update(self, files) -> None:
        super().update(dict(files.items()))


class JSONPartParser(MultiPartParser):
    """Multipart as the SDK sends it; without a `json` part, ordinary form fields."""

    def parse(self, stream, media_type=None, parser_context=None) -> DataAndFiles:
        parts = super().parse(stream, media_type, parser_context)
        text = parts.data.get("json")
        if text is None:
            return parts
        value = _loads(text)
        if not isinstance(value, dict):
            raise ParseError("JSON parse error - the part `json` must hold an object.")
        return DataAndFiles(PartsData(value), parts.files)
