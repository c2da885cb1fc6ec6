"""Responses with a stored file: conditional requests, ranges, and who sends the bytes. RFC 9110.

The caller checks permissions. Stored files never change, so their sha256 is a strong ETag: a client
that has the file gets 304, and one that has a part of it gets the rest.
"""

import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

from .storage import StoredFile, open_stored

# Seconds within which a client must start to download from S3; the download can take longer.
PRESIGNED_SECONDS = 60
# S3 has its own ETags and dates: requests that depend on ours are answered here.
VALIDATOR_HEADERS = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE")
# At most 18 digits: no file is larger, and Python refuses to parse thousands of digits.
_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.I)


class UnsatisfiableRange(Exception):
    """The range begins after the end of the file."""


def byte_range(header: str, size: int) -> range | None:
    """Return the range that a Range header selects of a file of `size` bytes.

    Returns None, for the whole file, if the header has several ranges or is no range of bytes.

    Raises:
        UnsatisfiableRange: the file has none of these bytes.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = (int(digits) if digits else None for digits in found.groups())
    if first is None:  # the last bytes, by their number
        first, last = max(0, size - (last or 0)), None
    elif last is not None and last < first:
        return None
    if first >= size:
        raise UnsatisfiableRange
    return range(first, size if last is None else min(last + 1, size))


class FileRange(File):
    """A range of bytes of an open file, as a file."""

    def __init__(self, file: File, part: range) -> None:
        super().__init__(file, name=file.name)
        self.content, self.part = file, part
        file.seek(part.start)

    def read(self, size: int = -1) -> bytes:
        left = max(0, len(self.part) - self.tell())
        data: bytes = self.content.read(left if size < 0 else min(size, left))
        return data

    def tell(self) -> int:
        return int(self.content.tell()) - self.part.start

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.tell(), io.SEEK_END: len(self.part)}[whence]
        self.content.seek(self.part.start + base + offset)
        return self.tell()

    def seekable(self) -> bool:
        return True


class StoredFileResponse(FileResponse):
    """Streams in larger blocks than Django's 4 kB."""

    block_size = 128 * 1024


def file_response(
    request: HttpRequest, stored: StoredFile, created: datetime, filename: str, content_type: str
) -> HttpResponseBase:
    """Return the response with the file, or as the request's conditions and range require.

    Args:
        created: the date of the file, for `Last-Modified`.

    Raises:
        FileNotFoundError: the file is lost.
        StorageError: the storage does not answer (503).
    """
    etag, timestamp = f'"{stored.checksum}"', int(created.timestamp())
    headers = {
        "ETag": etag,
        "Last-Modified": http_date(timestamp),
        # A client may store the file, but permissions are checked for every request.
        "Cache-Control": "private, no-cache",
        "Accept-Ranges": "bytes",
        "Content-Type": content_type,
        "Content-Disposition": content_disposition_header(True, filename),
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Expose-Headers": "Content-Disposition",
    }
    whole = HttpResponse(headers=headers)
    answer: Any = get_conditional_response(request, etag, timestamp, whole)
    if answer is not whole:
        return answer
    if request.method == "HEAD":
        whole["Content-Length"] = stored.size
        return whole
    if delegated := _delegated(request, stored.name, whole):
        return delegated
    return _streamed(request, stored, whole)


def _delegated(
    request: HttpRequest, name: str, whole: HttpResponse
) -> HttpResponse | HttpResponseRedirect | None:
    """Return the response that lets the web server or S3 send the file; None to send it here."""
    how = settings.DOWNLOADS
    if how == "x-accel-redirect":
        whole["X-Accel-Redirect"] = quote(f"{settings.ACCEL_LOCATION}{name}")
        return whole
    if how == "x-sendfile":
        whole["X-Sendfile"] = quote(str(Path(settings.STORAGE_ROOT).absolute() / name))
        return whole
    if how == "s3-redirect" and not any(name in request.META for name in VALIDATOR_HEADERS):
        parameters = {
            "ResponseContentDisposition": whole["Content-Disposition"],
            "ResponseContentType": whole["Content-Type"],
            "ResponseCacheControl": "private, no-store",
        }
        storage: Any = default_storage
        url = storage.url(name, parameters=parameters, expire=PRESIGNED_SECONDS)
        return HttpResponseRedirect(url, headers={"Cache-Control": "private, no-store"})
    return None


def _streamed(request: HttpRequest, stored: StoredFile, whole: HttpResponse) -> HttpResponseBase:
    try:
        part = _requested_range(request, stored.size, whole)
    except UnsatisfiableRange:
        detail = f"The file has {stored.size} bytes. The range begins after its end."
        headers = {"Content-Range": f"bytes */{stored.size}"}
        return JsonResponse({"detail": detail}, status=416, headers=headers)
    file = open_stored(stored.name)
    try:
        response = _response(file, part, stored.size)
    except BaseException:
        file.close()
        raise
    for name, value in whole.items():
        response[name] = value
    return response


def _response(file: File, part: range | None, size: int) -> StoredFileResponse:
    if part is None:
        return StoredFileResponse(file)
    response = StoredFileResponse(FileRange(file, part), status=206)
    response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response["Content-Length"] = len(part)
    return response


def _requested_range(request: HttpRequest, size: int, whole: HttpResponse) -> range | None:
    """Return the range of the request; None for the whole file."""
    header, condition = request.META.get("HTTP_RANGE"), request.META.get("HTTP_IF_RANGE")
    if header is None or request.method != "GET":
        return None
    # The part that the client has is of another file, so it gets the whole one.
    if condition and condition != whole["ETag"]:
        date = parse_http_date_safe(condition)
        if date is None or date != parse_http_date_safe(whole["Last-Modified"]):
            return None
    return byte_range(header, size)
