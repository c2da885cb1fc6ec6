"""Parsers of request bodies: JSON, and multipart with a JSON object in the part `json`."""

from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, DataAndFiles, MultiPartParser

from ..large_json import PART, large_object
from ..ops.body_limits import FEWER, LimitedBody, large_list_of, too_large
from ..parsing import json_of


@contextmanager
def json_errors() -> Iterator[None]:
    """Raise a ParseError for JSON that cannot be read, also while its items are iterated."""
    try:
        yield
    except ValueError as error:
        raise ParseError(f"JSON parse error - {error}") from error


def _text_of(file: UploadedFile) -> bytes:
    """Return the JSON in a file, without a byte order mark."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if (file.size or 0) > limit:
        raise too_large("JSON", limit, FEWER)
    return file.read().removeprefix(BOM_UTF8)


class JSONParser(BaseParser):
    """A JSON body. A large one is read from its file where the address takes a large list."""

    media_type = "application/json"

    @json_errors()
    def parse(self, stream, media_type=None, parser_context=None) -> Any:
        body = getattr(stream, "_stream", None)
        is_large = isinstance(body, LimitedBody) and body.announced > PART
        if is_large and (large := large_list_of(stream)):
            return large_object(body.file(), *large)
        return json_of(stream.read())


class PartsData(dict):
    """The object of the `json` part; `update` adds the files, the last one of each name."""

    def copy(self) -> "PartsData":
        return PartsData(self)

    def update(self, files) -> None:
        super().update(dict(files.items()))


class JSONPartParser(MultiPartParser):
    """Multipart with a `json` part, as the SDK sends it; without one, ordinary form fields.

    The part can be a file, as in `curl -F json=@spec.json`.
    """

    def parse(self, stream, media_type=None, parser_context=None) -> DataAndFiles:
        parts = super().parse(stream, media_type, parser_context)
        try:
            return self._with_json(parts)
        except BaseException:
            for _name, files in parts.files.lists():
                _close(files)
            raise

    def _with_json(self, parts: DataAndFiles) -> DataAndFiles:
        text: str | bytes | None = parts.data.get("json")
        if text is None and "json" in parts.files:
            text = _text_of(parts.files["json"])
            _close(parts.files.pop("json"))
        if text is None:
            return parts
        with json_errors():
            value = json_of(text)
        if not isinstance(value, dict):
            raise ParseError("JSON parse error - the part `json` must hold an object.")
        return DataAndFiles(PartsData(value), parts.files)


def _close(files: list[UploadedFile]) -> None:
    for file in files:
        file.close()
