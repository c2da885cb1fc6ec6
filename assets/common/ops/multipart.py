"""Bodies with files: read in one pass, small files into memory and large ones to the disk.

Django's own parser takes ten times as long, and writes each of a thousand small files to the disk.
"""

import tempfile
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import QueryDict
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict
from django.utils.http import parse_header_parameters
from multipart import MultipartError, MultipartSegment, PushMultipartParser

from .body_limits import FEWER, is_signed_in, too_large

# Bytes of a request's files in memory; of one file, FILE_UPLOAD_MAX_MEMORY_SIZE.
MAX_IN_MEMORY = 16 * 1024**2


class MultipartHandler(FileUploadHandler):
    """Upload handler that reads the whole body, with the limits of Django's parser.

    Files are refused before sign-in. Large ones are in temporary files without a name, which the
    system deletes with the process.
    """

    def handle_raw_input(
        self,
        input_data: Any,
        META: dict[str, Any],
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> tuple[QueryDict, MultiValueDict]:
        body = _Body(self.request, encoding or settings.DEFAULT_CHARSET)
        try:
            with PushMultipartParser(boundary, content_length) as parser:
                body.receive(parser.parse_blocking(input_data.read))
        except BaseException as error:
            body.close()
            if isinstance(error, MultipartError):
                raise MultiPartParserError(str(error)) from error
            raise
        return body.fields, body.files


class _Body:
    """The fields of a body, and its files."""

    def __init__(self, request: Any, encoding: str) -> None:
        self.fields = QueryDict(mutable=True, encoding=encoding)
        self.files: MultiValueDict = MultiValueDict()
        self.encoding = encoding
        # Bytes of all fields, and of the files in memory.
        self.field_size = self.in_memory = 0
        self._request = request
        self._field_count = self._file_count = 0
        self._part: Any = None

    def receive(self, events: Iterable[MultipartSegment | bytes | bytearray | None]) -> None:
        """Receive, of each part, its head, its content in pieces, and None at its end."""
        for event in events:
            if isinstance(event, MultipartSegment):
                self._part = self._part_of(event)
            elif event is None:
                self._part.finish()
            else:
                self._part.write(event)
        self.fields._mutable = False

    def _part_of(self, head: MultipartSegment) -> "_Field | _File":
        if head.header("Content-Transfer-Encoding", "").lower() == "base64":
            raise MultiPartParserError("a part is encoded in base64. Send its plain bytes.")
        filename = _filename_of(head)
        if filename is None:
            self._field_count += 1
            if self._field_count > settings.DATA_UPLOAD_MAX_NUMBER_FIELDS:
                raise TooManyFieldsSent("The request has too many fields.")
            return _Field(self, head)
        self._file_count += 1
        if self._file_count > settings.DATA_UPLOAD_MAX_NUMBER_FILES:
            raise TooManyFilesSent("The request has too many files.")
        if filename and self._request is not None and not is_signed_in(self._request):
            raise RequestDataTooBig("Sign in to send files.")
        return _File(self, head, filename)

    def close(self) -> None:
        """Close the files of a body that is not received to its end."""
        for _name, files in self.files.lists():
            for file in files:
                file.close()
        if isinstance(self._part, _File):
            self._part.content.close()


def _filename_of(head: MultipartSegment) -> str | None:
    """Return the name of a file without its folders, blank if it has none; None of a field."""
    disposition = head.header("Content-Disposition")
    # Clients escape names in many ways, of which Django reads the most.
    if any(sign in disposition for sign in ("*=", "\\", "%")):
        found = parse_header_parameters(disposition)[1]
        head.name, head.filename = found.get("name", head.name), found.get("filename")
    if head.filename is None:
        return None
    return MultiPartParser.sanitize_file_name(None, head.filename) or ""  # type: ignore[arg-type]


class _Field:
    """A field, while it arrives."""

    def __init__(self, body: _Body, head: MultipartSegment) -> None:
        self._body, self._name = body, str(head.name).strip()
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        self._body.field_size += len(data)
        if self._body.field_size > limit:
            raise too_large("JSON", limit, FEWER)
        self._pieces.append(data)

    def finish(self) -> None:
        text = b"".join(self._pieces).decode(self._body.encoding, "replace")
        self._body.fields.appendlist(self._name, text)


class _File:
    """A file, while it arrives."""

    def __init__(self, body: _Body, head: MultipartSegment, filename: str) -> None:
        self._body, self._head, self._filename = body, head, filename
        left = MAX_IN_MEMORY - body.in_memory
        self._most = max(1, min(left, settings.FILE_UPLOAD_MAX_MEMORY_SIZE))
        self.content = tempfile.SpooledTemporaryFile(  # noqa: SIM115  the request closes it
            self._most, dir=settings.FILE_UPLOAD_TEMP_DIR
        )
        self.write = self.content.write

    def finish(self) -> None:
        # Browsers send a file without a name where none was chosen.
        if not self._filename:
            self.content.close()
            return
        size = self.content.tell()
        self.content.seek(0)
        self._body.in_memory += size if size <= self._most else 0
        file = UploadedFile(
            self.content, self._filename, self._head.content_type, size, self._head.charset
        )
        self._body.files.appendlist(str(self._head.name).strip(), file)
