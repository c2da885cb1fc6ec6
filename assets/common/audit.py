"""What is told of for the audit trail: who asks, from where, and the words for what happened.

Rooms that know no events say what happened by `log_event`; the room of events listens and writes.
"""

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.dispatch import Signal
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from .errors import Code, Problem


class Action(models.TextChoices):
    """What can happen; one word for each, whatever it happens to."""

    REGISTERED = "registered"
    RENAMED = "renamed"
    LINKED = "linked"
    STARTED = "started"
    ENDED = "ended"
    CANCELED = "canceled", "cancelled"
    DOWNLOADED = "downloaded"
    VIEWED = "viewed"
    SIGNED_IN = "signed_in", "signed in"
    SIGNED_OUT = "signed_out", "signed out"
    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"
    # Anything else that was refused; the detail tells the method and the path.
    TRIED = "tried"


class Result(models.TextChoices):
    """How it went."""

    DONE = "done"
    REFUSED = "refused"


class SubjectKind(models.TextChoices):
    """What it can happen to besides assets."""

    USER = "user"
    TOKEN = "token"  # noqa: S105  a kind, not a token
    REQUEST = "request"


# What a user is refused again, sees again or gets in parts within this time is one event.
ONCE = timedelta(hours=1)

# Sent by `log_event` with its arguments.
event_logged = Signal()

# The request that this thread answers; none in a command.
_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def log_event(
    action: Action,
    kind: str,
    *,
    key: UUID | None = None,
    name: str = "",
    actor: Any = None,
    organization_id: str | None = None,
    result: Result = Result.DONE,
    detail: Mapping[str, Any] | None = None,
    once: timedelta | None = None,
) -> None:
    """Tell that something happened, in the transaction that did it.

    Without an `actor` it is whoever sent the request; a command has none. The organisation whose
    admins read it is the actor's unless another is named. `detail` is JSON. With `once`, what the
    same user did in the same way to the same asset that short a time ago is the same event.
    """
    if actor is None:
        request = _request.get()
        actor = getattr(request, "user", None) if request else None
    event_logged.send(
        sender=log_event,
        action=action,
        kind=kind,
        key=key,
        name=name,
        actor=actor if getattr(actor, "is_authenticated", False) else None,
        organization_id=organization_id,
        result=result,
        detail=detail or {},
        once=once,
    )


def current_request() -> HttpRequest | None:
    """Return the request that is answered now; None in a command."""
    return _request.get()


def client_address(request: HttpRequest | None = None) -> str | None:
    """Return the IP address of the client of this request, or of the one that is answered now."""
    request = request or _request.get()
    if request is None:
        return None
    # Any client may write this header; only the entry that our own proxy added is true.
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    address = forwarded.split(",")[-1].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:  # a socket of this machine, or a proxy's nonsense
        return None


class Audited:
    """Middleware: knows the request while it is answered, and tells of what was refused.

    A refusal is an answer of 403 to somebody who is signed in, or a form that shows one, unless it
    was told of already.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = _request.set(request)
        try:
            response = self.get_response(request)
            refused = response.status_code == 403 or getattr(request, "refusal_shown", False)
            if refused and not getattr(request, "refusal_logged", False):
                self._log_refusal(request)
        finally:
            _request.reset(token)
        return response

    def _log_refusal(self, request: HttpRequest) -> None:
        if getattr(getattr(request, "user", None), "is_authenticated", False):
            detail = {"method": request.method, "path": request.path[:500]}
            log_event(
                Action.TRIED, SubjectKind.REQUEST, result=Result.REFUSED, detail=detail, once=ONCE
            )


def note_refusals(problems: Iterable[Problem]) -> None:
    """Let the request be told of as refused if one of the problems forbids what it wanted.

    A form shows what is forbidden beside what is merely wrong, and its status says neither.
    """
    if (request := _request.get()) and any(one.code is Code.FORBIDDEN for one in problems):
        request.refusal_shown = True  # type: ignore[attr-defined]


def log_refusal(action: Action, kind: str, **what: Any) -> None:
    """Tell that what the request wanted is refused; the answer of 403 tells it no second time.

    As that answer, it is logged once an hour: a program that keeps trying fills no audit trail.
    """
    if request := _request.get():
        request.refusal_logged = True  # type: ignore[attr-defined]
    log_event(action, kind, result=Result.REFUSED, once=ONCE, **what)
