"""From who one is to a session: at once, or over a second step that somebody waits for.

Whoever is between the steps is signed in nowhere: no page and no request of the API has to ask
whether a second factor is still due.
"""

import time
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from .backends import BACKEND, address_of
from .models import User
from .registration.failed_sign_ins import clear_failures, count_failure, lock_failures
from .registration.second_factor import use_code
from .rules import PENDING_SECONDS, second_factor_required

PENDING = "signing_in"


def second_step_of(user: User) -> str:
    """Return the name of the page with the user's second step; blank where there is none."""
    if user.second_factor_at is not None:
        return "sign-in-code"
    return "sign-in-enrol" if second_factor_required(user) else ""


def continue_sign_in(
    request: HttpRequest, user: User, next_url: str, *, by_provider: bool = False
) -> HttpResponse:
    """Sign a user in whose password was right, or whom the provider knows; or ask for more."""
    # The provider asks for a second factor itself, unless the settings say otherwise.
    asks = not by_provider or settings.OIDC_SECOND_FACTOR
    if asks and (step := second_step_of(user)):
        request.session.cycle_key()
        request.session[PENDING] = {
            "user": user.pk,
            "hash": user.get_session_auth_hash(),
            "until": time.time() + PENDING_SECONDS,
            "next": next_url,
        }
        return HttpResponseRedirect(reverse(step))
    complete_sign_in(request, user)
    return HttpResponseRedirect(next_url)


def pending_user(request: HttpRequest) -> tuple[User | None, str]:
    """Return who has done the first step in this browser, and where it wanted to go."""
    kept: Any = request.session.get(PENDING) or {}
    if kept.get("until", 0) < time.time():
        return None, ""
    user = User.objects.filter(pk=kept["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != kept["hash"]:
        return None, ""
    return user, kept["next"]


@transaction.atomic
def complete_sign_in_with_code(request: HttpRequest, user: User, code: str) -> str:
    """Sign the user in if this is a code of its own; return what is wrong with it, or nothing.

    One transaction: whoever is not signed in has not used up a code.

    Raises:
        TooManyAttempts: the code was not looked at.
    """
    address = address_of(request)
    lock_failures(user.username, address)
    if wrong := use_code(user, code):
        count_failure(user.username, address)
        return wrong
    complete_sign_in(request, user)
    request.session.save()
    return ""


@transaction.atomic
def complete_sign_in(request: HttpRequest, user: User) -> None:
    """Sign the user in; the session has another key from here on."""
    request.session.pop(PENDING, None)
    clear_failures(user.username, address_of(request))
    login(request, user, backend=BACKEND)
