"""The audit trail: its words, the request that acts, and the signal that logs an event.

Any room logs events by `log_event`; the room of events, `feed`, listens and writes them.
"""

from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.dispatch import Signal
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from .errors import Code, Problem


class Action(models.TextChoices):
    """What can happen, to whatever kind."""

    REGISTERED = "registered", _("registered")
    RENAMED = "renamed", _("renamed")
    LINKED = "linked", _("linked")
    STARTED = "started", _("started")
    ENDED = "ended", _("ended")
    CANCELED = "canceled", _("cancelled")
    APPROVED = "approved", _("approved")
    DECLINED = "declined", _("declined")
    DOWNLOADED = "downloaded", _("downloaded")
    VIEWED = "viewed", _("viewed")
    SIGNED_IN = "signed_in", _("signed in")
    SIGNED_OUT = "signed_out", _("signed out")
    CREATED = "created", _("created")
    CHANGED = "changed", _("changed")
    REMOVED = "removed", _("removed")
    # Any other denied request; the detail has its method and path.
    TRIED = "tried", _("denied")


class Result(models.TextChoices):
    """Whether it happened or was denied."""

    DONE = "done", _("done")
    REFUSED = "refused", _("denied")


class SubjectKind(models.TextChoices):
    """What it can happen to, besides assets."""

    USER = "user", _("user")
    TOKEN = "token", _("token")
    RUNNER = "runner", _("runner")
    TRIAL = "trial", _("dry run")
    REQUEST = "request", _("request")


@dataclass(frozen=True, slots=True)
class Agent:
    """A program that acts for an organisation without a user; its name stands in events.

    It answers what views ask of a request's user.
    """

    organization_id: str
    username: str
    # As of a user: no row of a user stands for it, and it has no role.
    pk: None = None
    role: str = ""
    is_authenticated: bool = True
    is_active: bool = True
    is_superuser: bool = False


# Equal views, ranges of a download and denied requests of a user are one event within this time.
ONCE = timedelta(hours=1)

# Sent by `log_event`, with its arguments.
event_logged = Signal()

# The request that this thread answers; None in a command.
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
    """Log an event, in the transaction of the change.

    Args:
        actor: the user or agent who acts; by default the request's user, and none in a command.
        organization_id: the organisation whose admins read the event; by default the actor's.
        detail: JSON.
        once: an equal event that is not older than this stands for this one too.
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
    """Return the request that this thread answers; None in a command."""
    return _request.get()


def client_address(request: HttpRequest | None = None) -> str | None:
    """Return the client's IP address, of this request or of the current one; None if unknown."""
    request = request or _request.get()
    if request is None:
        return None
    # Any client can send this header; only the last entry is from our own proxy.
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    address = forwarded.split(",")[-1].strip() or request.META.get("REMOTE_ADDR", "")
    try:
        return str(ip_address(address))
    except ValueError:  # a Unix socket, or a proxy's invalid header
        return None


class Audited:
    """Middleware: sets the current request, and logs denied requests of signed-in users.

    A request is denied if its response is a 403, or a form that shows such a problem.
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
    """Have the request logged as denied if one of the problems forbids it.

    The status of a form with errors does not separate forbidden from invalid.
    """
    if (request := _request.get()) and any(one.code is Code.FORBIDDEN for one in problems):
        request.refusal_shown = True  # type: ignore[attr-defined]


def log_refusal(action: Action, kind: str, **what: Any) -> None:
    """Log that the request is denied, in place of the event for its 403 response.

    Equal events are logged once an hour, so that a retrying program does not fill the audit trail.
    """
    if request := _request.get():
        request.refusal_logged = True  # type: ignore[attr-defined]
    log_event(action, kind, result=Result.REFUSED, once=ONCE, **what)
