"""`Idempotency-Key`: a repeated request to the API gets the response of the first one.

As in the IETF draft (draft-ietf-httpapi-idempotency-key-header): the same key with the same content
gets the same response, and with other content a 422. A second request waits for the first.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any

from django.db import DatabaseError
from django.http import QueryDict
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from .keys import (
    PAGE_TOKEN_LENGTH,
    TOKEN_FIELD,
    AlreadyProcessed,
    Attempt,
    attempt_of_key,
    digest_of,
)

HEADER = "Idempotency-Key"
# Returns the response again, from the view and the subjects of the first request.
Respond = Callable[[Any, Sequence[str]], Response]


def idempotent(respond: Respond | None = None) -> Callable[[Any], Any]:
    """Return a decorator for a handler that writes.

    Args:
        respond: returns the response to a repeated request. Without it, the handler runs again,
            because repeating it does no harm.
    """

    def decorate(handler: Any) -> Any:
        @wraps(handler)
        def handle(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            attempt = _attempt_of(request)
            if attempt is None:
                return handler(view, request, *args, **kwargs)
            if response := _repeated_response(view, attempt, respond):
                return response
            request._request.attempt = attempt  # type: ignore[attr-defined]
            try:
                return handler(view, request, *args, **kwargs)
            except Exception as error:
                # The first request may have committed meanwhile, and caused this error.
                with suppress(DatabaseError):
                    if response := _repeated_response(view, attempt, respond):
                        return response
                if respond is None and isinstance(error, AlreadyProcessed):
                    return handler(view, request, *args, **kwargs)
                raise

        handle.takes_idempotency_key = True  # type: ignore[attr-defined]
        return handle

    return decorate


def _repeated_response(view: Any, attempt: Attempt, respond: Respond | None) -> Response | None:
    """Return the response to a repeated request; None if it is the first one."""
    row = attempt.result()
    if row is None:
        return None
    attempt.pk = row.pk
    return respond(view, row.subjects) if respond else None


def _attempt_of(request: Request) -> Attempt | None:
    if key := request.headers.get(HEADER, "").strip():
        return attempt_of_key(request.user, key, _digest(request))
    if token := _token_of_page(request):
        digest = _digest(request, token)
        return Attempt(request.user.pk, digest, digest)
    return None


def _token_of_page(request: Request) -> str:
    """Return the CSRF token of the form on a page of the browsable API; blank for programs."""
    if not isinstance(request.successful_authenticator, SessionAuthentication):
        return ""
    token = request.headers.get("X-CSRFToken", "")
    if not token and isinstance(request.data, QueryDict):
        token = str(request.data.get(TOKEN_FIELD, ""))
    return token if len(token) == PAGE_TOKEN_LENGTH else ""


def _digest(request: Request, page: str = "") -> str:
    method = str(request.method)
    return digest_of(method, request.path, page, data=request.data, files=request.FILES)
