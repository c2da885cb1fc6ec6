"""From who one is to a session: at once, or over a second step that somebody waits for.

Whoever is between the steps is signed in nowhere: no page and no request of the API has to ask
whether a second factor is still due.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ..organizations.models import User
from ..organizations.rules import second_factor_required
from .authentication import BACKEND, address_of
from .registration import forgive
from .rules import PENDING_SECONDS

PENDING = "signing_in"


def go_on(
    request: HttpRequest, user: User, next_url: str, *, by_provider: bool = False
) -> HttpResponse:
    """Sign a user in whose password was right, or whom the provider knows; or ask for more."""
    # The provider asks for a second factor itself, unless the settings say otherwise.
    if not by_provider or settings.OIDC_SECOND_FACTOR:
        step = ""
        if user.second_factor_at is not None:
            step = "sign-in-code"
        elif second_factor_required(user):
            step = "sign-in-enrol"
        if step:
            request.session.cycle_key()
            request.session[PENDING] = {
                "user": user.pk,
                "hash": user.get_session_auth_hash(),
                "until": time.time() + PENDING_SECONDS,
                "next": next_url,
            }
            return HttpResponseRedirect(reverse(step))
    enter(request, user)
    return HttpResponseRedirect(next_url)


def pending(request: HttpRequest) -> tuple[User | None, str]:
    """Return who has done the first step in this browser, and where it wanted to go."""
    kept: Any = request.session.get(PENDING) or {}
    if kept.get("until", 0) < time.time():
        return None, ""
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["hash"]:
        return None, ""
    return user, kept["next"]


def enter(request: HttpRequest, user: User) -> None:
    """Sign the user in; the session has another key from here on."""
    request.session.pop(PENDING, None)
    forgive(user.username, address_of(request))
    login(request, user, backend=BACKEND)
