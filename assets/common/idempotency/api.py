"""`Idempotency-Key`: a request to the API that is sent again gets the answer of the first.

As in the IETF's draft (draft-ietf-httpapi-idempotency-key-header): the same key with the same
content is answered as before, with other content by 422; while the first is carried out, the
second waits for it.
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

from .keys import PAGE_TOKEN_LENGTH, TOKEN_FIELD, Attempt, Repeated, attempt_of_key, digest_of

HEADER = "Idempotency-Key"
# Answers again, given the view and what the first request has done it to.
Again = Callable[[Any, Sequence[str]], Response]


def repeatable(again: Again | None = None) -> Callable[[Any], Any]:
    """Decorate a handler that writes. Without `again`, it does no harm to carry it out again."""

    def decorate(handler: Any) -> Any:
        @wraps(handler)
        def handle(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
            attempt = _attempt_of(request)
            if attempt is None:
                return handler(view, request, *args, **kwargs)
            if answer := _answer(view, attempt, again):
                return answer
            request._request.attempt = attempt  # type: ignore[attr-defined]
            try:
                return handler(view, request, *args, **kwargs)
            except Exception as error:
                # The first may have come in between, and taken what this one needs.
                with suppress(DatabaseError):
                    if answer := _answer(view, attempt, again):
                        return answer
                if again is None and isinstance(error, Repeated):
                    return handler(view, request, *args, **kwargs)
                raise

        handle.takes_idempotency_key = True  # type: ignore[attr-defined]
        return handle

    return decorate


def _answer(view: Any, attempt: Attempt, again: Again | None) -> Response | None:
    """Return the answer of a request that was carried out before; None if there was none."""
    row = attempt.done()
    if row is None:
        return None
    attempt.pk = row.pk
    return again(view, row.subjects) if again else None


def _attempt_of(request: Request) -> Attempt | None:
    if key := request.headers.get(HEADER, "").strip():
        return attempt_of_key(request.user, key, _digest(request))
    if token := _token_of_page(request):
        digest = _digest(request, token)
        return Attempt(request.user.pk, digest, digest)
    return None


def _token_of_page(request: Request) -> str:
    """Return the token of the browsable page whose form this is; blank for programs."""
    if not isinstance(request.successful_authenticator, SessionAuthentication):
        return ""
    token = request.headers.get("X-CSRFToken", "")
    if not token and isinstance(request.data, QueryDict):
        token = str(request.data.get(TOKEN_FIELD, ""))
    return token if len(token) == PAGE_TOKEN_LENGTH else ""


def _digest(request: Request, page: str = "") -> str:
    method = str(request.method)
    return digest_of(method, request.path, page, data=request.data, files=request.FILES)
