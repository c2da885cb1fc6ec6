"""Logs: lines of text or JSON, each with the id of its request.

The response has the id in `X-Request-ID`. No line has a query string, a header, a cookie or a body.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.encoding import escape_uri_path
from django.utils.functional import SimpleLazyObject, empty

from ..audit import client_address
from ..connections import is_let_wait

HEADER = "X-Request-ID"
# Ids of a proxy: nothing that could look like another line or field.
SANE = re.compile(r"[A-Za-z0-9._-]{8,64}").fullmatch
# API tokens, and the tokens of links for setting a password.
SECRET = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{40}|[0-9a-z]{1,13}-[0-9a-f]{32})(?![0-9A-Za-z])"
)
# Characters that control a terminal, except the tab.
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# The fields of an access line, in this order.
FIELDS = ("method", "path", "status", "duration_ms", "user", "organization", "address")

access = logging.getLogger("registrar.access")
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def request_id() -> str:
    """Return the id of the current request; blank in a command."""
    return _request_id.get()


def _without_secrets(text: str) -> str:
    return SECRET.sub("[secret]", text)


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode()


class TextFormatter(logging.Formatter):
    """Formats a record as one line, with an indented traceback below it.

    Errors can quote what was sent: it cannot start a line of its own, or control a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        record.request_id = _request_id.get() or "-"
        lines = _without_secrets(super().format(record)).splitlines()
        return "\n    ".join(CONTROL.sub(_escaped, line) for line in lines)


class JSONFormatter(logging.Formatter):
    """Formats a record as one line with a JSON object, which includes the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "version": settings.VERSION,
        }
        if id := _request_id.get():
            line["request_id"] = id
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return _without_secrets(orjson.dumps(line, default=str).decode())


class RequestLog:
    """Middleware that gives each request an id, and logs a line when it is answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        # Any client can send the header; only a proxy's is trusted.
        self.trusting = settings.BEHIND_PROXY

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begin = time.perf_counter()
        given = request.META.get("HTTP_X_REQUEST_ID", "") if self.trusting else ""
        id = given if given and SANE(given) else secrets.token_hex(16)
        # It is not reset: Django logs errors after the last middleware, and streamed responses are
        # read later.
        _request_id.set(id)
        response = self.get_response(request)
        response.headers[HEADER] = id
        if access.isEnabledFor(logging.INFO) and not is_let_wait(response):
            _log_request(request, response, time.perf_counter() - begin)
        return response


def _log_request(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    user = _known_user(request)
    values = (
        request.method,
        # Control characters of a path cannot start a line.
        escape_uri_path(request.path),
        response.status_code,
        round(seconds * 1000, 1),
        getattr(user, "pk", None),
        getattr(user, "organization_id", None),
        client_address(request),
    )
    access.info(
        "%s %s %s %s ms user=%s organization=%s address=%s",
        *values,
        extra={"fields": dict(zip(FIELDS, values, strict=True))},
    )


def _known_user(request: HttpRequest) -> Any:
    """Return the user if the request has loaded it; never query the database for a log line."""
    user = request.__dict__.get("user")
    if isinstance(user, SimpleLazyObject) and user.__dict__.get("_wrapped") is empty:
        return None
    return user
