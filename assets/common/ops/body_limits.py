"""Limits for request bodies: small before sign-in, large after.

They apply while a body is read; `project.server` also asks for them before it receives a body.
"""

import shutil
from collections.abc import Callable
from io import BufferedIOBase
from tempfile import TemporaryFile
from typing import Any, NamedTuple, TypeVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat

from ..files.storage import is_full

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
FILES, BINARY = "multipart/form-data", "application/octet-stream"
Handler = TypeVar("Handler", bound=Callable[..., Any])


class LargeList(NamedTuple):
    """The list that makes a JSON body large, and the member that makes its items large."""

    name: str
    kept: str


def takes_large_list(name: str, kept: str) -> Callable[[Handler], Handler]:
    """Return a decorator for a handler of the API whose JSON may have MAX_JSON_SIZE.

    Such a body is read from disk, and never all of it is in memory: `assets.common.large_json`.
    """

    def decorate(handler: Handler) -> Handler:
        handler.large_list = LargeList(name, kept)  # type: ignore[attr-defined]
        return handler

    return decorate


def takes_file(handler: Handler) -> Handler:
    """Let a handler of the API take a body that is a file, as `BINARY`."""
    handler.takes_file = True  # type: ignore[attr-defined]
    return handler


def large_list_of(request: HttpRequest) -> LargeList | None:
    """Return the list that may make the request's JSON large; None for most addresses."""
    return getattr(_handler_of(request), "large_list", None)


def _handler_of(request: HttpRequest) -> Any:
    """Return the handler of the API that answers the request; None if it is none of the API."""
    view: Any = getattr(request.resolver_match, "func", None)
    method = str(request.method).lower()
    action = getattr(view, "actions", {}).get(method, method)
    return getattr(getattr(view, "cls", None), action, None)


def largest_body(request: HttpRequest) -> int:
    """Return the largest body in bytes that a signed-in user may send with this request."""
    kind = request.content_type
    if kind == FILES:
        return settings.MAX_REQUEST_SIZE
    if kind == JSON and large_list_of(request):
        return settings.MAX_JSON_SIZE
    if kind == BINARY and hasattr(_handler_of(request), "takes_file"):
        return settings.MAX_UPLOAD_SIZE
    if kind in (JSON, FORM):
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    return settings.SMALL_BODY_SIZE


def is_signed_in(request: HttpRequest) -> bool:
    """Return whether the user of the request is authenticated, by now."""
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


FEWER = "send less at a time, in several requests"
# The SDK sends all tasks of a new compute plan in one request, whatever its batch size.
FEWER_TASKS = (
    "send fewer tasks at a time. Register the compute plan with its first tasks only (with the "
    "SDK, add_compute_plan), then add the others, batch_size tasks in each request "
    "(add_compute_plan_tasks). Or ask your administrator for a larger MAX_JSON_SIZE"
)


def too_large(what: str, limit: int, remedy: str) -> RequestDataTooBig:
    """Return the exception for a request with more than `limit` bytes of something."""
    return RequestDataTooBig(
        f"The request's {what} is larger than {filesizeformat(limit)}; {remedy}."
    )


class LimitedBody:
    """The body of a request, with a limit. Reading beyond it raises RequestDataTooBig.

    Attributes:
        announced: the Content-Length in bytes.
    """

    def __init__(self, request: HttpRequest, stream: Any, announced: int) -> None:
        self._request, self._stream = request, stream
        self._size, self.announced = 0, announced
        self._copy: Any = None

    def file(self) -> BufferedIOBase:
        """Return a file with the whole body, of which nothing has been read before."""
        self._check(self.announced)
        received = self._request.META["wsgi.input"]
        # Our server has received the body into a file; others hand out what they receive.
        if getattr(received, "seekable", bool)():
            return received
        self._copy = TemporaryFile()  # noqa: SIM115  closed with the request
        shutil.copyfileobj(self, self._copy)
        return self._copy

    def close_copy(self) -> None:
        """Close the file that `file` made, if it made one."""
        if self._copy:
            self._copy.close()

    def read(self, *args: Any) -> bytes:
        return self._counted(self._stream.read, args)

    def readline(self, *args: Any) -> bytes:
        return self._counted(self._stream.readline, args)

    def close(self) -> None:
        self._stream.close()

    def _counted(self, take: Callable[..., bytes], args: tuple) -> bytes:
        self._check(self.announced)
        data = take(*args)
        self._size += len(data)
        self._check(self._size)
        return data

    def _check(self, size: int) -> None:
        limit = largest_body(self._request)
        if size <= min(limit, settings.SMALL_BODY_SIZE):
            return
        # The user is authenticated by now: views read the body after that.
        if not is_signed_in(self._request):
            most = filesizeformat(settings.SMALL_BODY_SIZE)
            raise RequestDataTooBig(f"Sign in to send more than {most}.")
        if size <= limit:
            return
        if self._request.content_type == FILES:
            raise too_large("body", limit, "send fewer files at a time")
        if self._request.content_type == BINARY:
            raise too_large("body", limit, "send a file in parts")
        raise too_large("JSON", limit, FEWER_TASKS if large_list_of(self._request) else FEWER)


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
        body: Any = LimitedBody(request, request._stream, size)
        request._stream = body
        try:
            return self.get_response(request)
        finally:
            body.close_copy()
