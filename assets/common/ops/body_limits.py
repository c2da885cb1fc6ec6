"""Limits for request bodies: small before sign-in, large after.

They apply while a body is read; `project.server` also asks for them before it receives a body.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat

from ..files.storage import is_full

FORMS = ("application/json", "application/x-www-form-urlencoded")
FILES = "multipart/form-data"


def largest_body(content_type: str) -> int:
    """Return the largest body in bytes, by its content type, of a request of a signed-in user."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FILES:
        return settings.MAX_REQUEST_SIZE
    return settings.DATA_UPLOAD_MAX_MEMORY_SIZE if kind in FORMS else settings.SMALL_BODY_SIZE


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


# The SDK sends all tasks of a new compute plan in one request, whatever its batch size.
FEWER_TASKS = (
    "send less at a time. Register a large compute plan with its first tasks only (with the SDK, "
    "add_compute_plan), then add the others in parts (add_compute_plan_tasks). Or ask your "
    "administrator for a larger MAX_JSON_SIZE"
)


def too_large(what: str, limit: int, remedy: str) -> RequestDataTooBig:
    """Return the exception for a request with more than `limit` bytes of something."""
    return RequestDataTooBig(
        f"The request's {what} is larger than {filesizeformat(limit)}; {remedy}."
    )


class _LimitedBody:
    """The body of a request, with a limit. Reading beyond it raises RequestDataTooBig."""

    def __init__(self, request: HttpRequest, stream: Any, announced: int) -> None:
        self._request, self._stream = request, stream
        # Bytes that were read, and the Content-Length.
        self._size, self._announced = 0, announced

    def read(self, *args: Any) -> bytes:
        return self._counted(self._stream.read, args)

    def readline(self, *args: Any) -> bytes:
        return self._counted(self._stream.readline, args)

    def close(self) -> None:
        self._stream.close()

    def _counted(self, take: Callable[..., bytes], args: tuple) -> bytes:
        self._check(self._announced)
        data = take(*args)
        self._size += len(data)
        self._check(self._size)
        return data

    def _check(self, size: int) -> None:
        content_type = self._request.content_type or ""
        limit = largest_body(content_type)
        if size <= min(limit, settings.SMALL_BODY_SIZE):
            return
        # The user is authenticated by now: views read the body after that.
        if not _is_signed_in(self._request):
            most = filesizeformat(settings.SMALL_BODY_SIZE)
            raise RequestDataTooBig(f"Sign in to send more than {most}.")
        if size > limit and content_type == FILES:
            raise too_large("body", limit, "send fewer files at a time")
        if size > limit:
            raise too_large("JSON", limit, FEWER_TASKS)


class BodyLimits:
    """Middleware that applies the limits to the body of each request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # The server's disk was full while it received the body, which is therefore incomplete.
        error = getattr(request.META.get("wsgi.input"), "error", None)
        if is_full(error):
            raise error  # type: ignore[misc]
        announced = request.META.get("CONTENT_LENGTH") or "0"
        size = int(announced) if announced.isdecimal() else 0
        stream: Any = _LimitedBody(request, request._stream, size)
        request._stream = stream
        return self.get_response(request)


class SignedInOnly(FileUploadHandler):
    """Upload handler that refuses files of any size before sign-in."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        if self.request is not None and not _is_signed_in(self.request):
            raise RequestDataTooBig("Sign in to send files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
