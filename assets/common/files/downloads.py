"""How the bytes of a stored file are handed over: conditions, ranges, and who sends them. RFC 9110.

Who may have the file was decided before. Stored files never change, so that their sha256 is a
strong validator: a client that has the file is told so, and one that has a part gets the rest.
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

# Seconds in which a client begins to follow an address in S3; the download itself may take longer.
PRESIGNED_SECONDS = 60
# S3 has validators of its own: what depends on ours is answered here.
OF_OUR_VALIDATORS = ("HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE")
# More digits than any file has bytes are no range; Python refuses to read thousands of them.
_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.I)


class Unsatisfiable(Exception):
    """The range begins after the end of the file."""


def byte_range(header: str, size: int) -> range | None:
    """Return the bytes of a file of `size` bytes that a Range header asks for.

    None means all of them: for what is no range of bytes, and for several ranges at once.

    Raises:
        Unsatisfiable: the file has none of these bytes.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not any(found.groups()):
        return None
    first, last = (int(digits) if digits else None for digits in found.groups())
    if first is None:  # so many of the last bytes
        first, last = max(0, size - (last or 0)), None
    elif last is not None and last < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return range(first, size if last is None else min(last + 1, size))


class Part(File):
    """Some bytes of an open file, as a file of its own. Its descriptor stands at the first."""

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
    """Streams in pieces that suit a network; Django's are as small as a page of memory."""

    block_size = 128 * 1024


def file_response(
    request: HttpRequest, stored: StoredFile, created: datetime, filename: str, content_type: str
) -> HttpResponseBase:
    """Answer with the file, or with what the request's conditions and range make of it.

    Raises:
        StorageError: the storage does not answer (503).
    """
    etag, timestamp = f'"{stored.checksum}"', int(created.timestamp())
    headers = {
        "ETag": etag,
        "Last-Modified": http_date(timestamp),
        # Permission is asked every time; only the bytes need not travel again.
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
    if by_other := _by_other(request, stored.name, whole):
        return by_other
    return _streamed(request, stored, whole)


def _by_other(
    request: HttpRequest, name: str, whole: HttpResponse
) -> HttpResponse | HttpResponseRedirect | None:
    """Have the web server before us, or S3, send the file, where that is configured."""
    how = settings.DOWNLOADS
    if how == "x-accel-redirect":
        whole["X-Accel-Redirect"] = quote(f"{settings.ACCEL_LOCATION}{name}")
        return whole
    if how == "x-sendfile":
        whole["X-Sendfile"] = quote(str(Path(settings.STORAGE_ROOT).absolute() / name))
        return whole
    if how == "s3-redirect" and not any(name in request.META for name in OF_OUR_VALIDATORS):
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
        part = _wanted(request, stored.size, whole)
    except Unsatisfiable:
        detail = f"The file has {stored.size} bytes, and none of those that the range asks for."
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
    response = StoredFileResponse(Part(file, part), status=206)
    response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response["Content-Length"] = len(part)
    return response


def _wanted(request: HttpRequest, size: int, whole: HttpResponse) -> range | None:
    """Return the range that the request asks for; None where it is to have the whole file."""
    header, condition = request.META.get("HTTP_RANGE"), request.META.get("HTTP_IF_RANGE")
    if header is None or request.method != "GET":
        return None
    # The client has a part of another file than ours: it needs all of ours.
    if condition and condition != whole["ETag"]:
        date = parse_http_date_safe(condition)
        if date is None or date != parse_http_date_safe(whole["Last-Modified"]):
            return None
    return byte_range(header, size)
