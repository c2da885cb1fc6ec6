"""Whether the user of a request has lately proved to be the one who is signed in."""

import time
from typing import Any

from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from ..common.errors import TooManyAttempts
from ..common.ops.sessions import BEGAN
from .rules import CONFIRMED_SECONDS


def check_own_password(request: HttpRequest, password: str) -> None:
    """Return nothing if this is the password of the user who sends the request.

    Raises:
        ValidationError: it is not; counted like a sign-in that failed.
        TooManyAttempts: too many attempts failed before; the password was not looked at.
    """
    user: Any = request.user
    if authenticate(request, username=user.get_username(), password=password) != user:
        raise ValidationError("This is not your password.", code="password_incorrect")


def cleaned_own_password(request: HttpRequest, password: str) -> str:
    """Return the password if it is the user's own, for a form that asks for it.

    Raises:
        ValidationError: it is not, or too many attempts failed before.
    """
    try:
        check_own_password(request, password)
    except TooManyAttempts as error:
        raise ValidationError(str(error)) from error
    return password


# When the session's user last gave its password after it had signed in.
CONFIRMED_AT = "confirmed_at"


def is_password_confirmed(request: HttpRequest) -> bool:
    """Did who is signed in give its password, or come from the provider, a short while ago?

    A session alone, which may be somebody else's by now, makes nothing that outlives it.
    """
    at = request.session.get(CONFIRMED_AT) or request.session.get(BEGAN) or 0
    return time.time() - at <= CONFIRMED_SECONDS
