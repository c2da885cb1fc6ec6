"""Signs a user in after the password or the provider: at once, or after a second step.

Between the steps no one is signed in, so that no page has to check whether a second factor is due.
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
    """Return the URL name of the user's second step, or "" if the user has none."""
    if user.second_factor_at is not None:
        return "sign-in-code"
    return "sign-in-enrol" if second_factor_required(user) else ""


def continue_sign_in(
    request: HttpRequest, user: User, next_url: str, *, by_provider: bool = False
) -> HttpResponse:
    """Sign in a user after the password or the provider, or redirect to a second step."""
    # The provider asks for a second factor itself, unless the settings say otherwise.
    may_ask = not by_provider or settings.OIDC_SECOND_FACTOR
    if may_ask and (step := second_step_of(user)):
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
    """Return the user who has done the first step in this session, and the URL to go to next."""
    step: Any = request.session.get(PENDING) or {}
    if step.get("until", 0) < time.time():
        return None, ""
    user = User.objects.filter(pk=step["user"], is_active=True).first()
    if user is None or user.get_session_auth_hash() != step["hash"]:
        return None, ""
    return user, step["next"]


@transaction.atomic
def complete_sign_in_with_code(request: HttpRequest, user: User, code: str) -> str:
    """Sign the user in with a code; return an empty string, or why the code is refused.

    One transaction: a code is used up only if the user is signed in.

    Raises:
        TooManyAttempts: the code was not checked.
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
    """Sign the user in, in a session with a new key."""
    request.session.pop(PENDING, None)
    clear_failures(user.username, address_of(request))
    login(request, user, backend=BACKEND)
