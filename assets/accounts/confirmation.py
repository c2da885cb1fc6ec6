"""Whether the user of a session has confirmed the password recently."""

import time
from typing import Any

from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..common.errors import TooManyAttempts
from ..common.ops.sessions import BEGAN
from .rules import CONFIRMED_SECONDS

# The session's key for the time when the user last confirmed the password.
CONFIRMED_AT = "confirmed_at"


def is_password_confirmed(request: HttpRequest) -> bool:
    """Return whether the user signed in or confirmed the password in the last half hour.

    A session may have been stolen: it alone creates nothing that outlives it, such as a token.
    """
    at = request.session.get(CONFIRMED_AT) or request.session.get(BEGAN) or 0
    return time.time() - at <= CONFIRMED_SECONDS


def check_own_password(request: HttpRequest, password: str) -> None:
    """Return nothing if this is the password of the request's user.

    Raises:
        ValidationError: it is not; counted like a failed sign-in.
        TooManyAttempts: too many attempts failed before; the password was not checked.
    """
    user: Any = request.user
    if authenticate(request, username=user.get_username(), password=password) != user:
        raise ValidationError(_("This is not your password."), code="password_incorrect")


def clean_own_password(request: HttpRequest, password: str) -> str:
    """Return the password if it is the user's own, for a form that asks for it.

    Raises:
        ValidationError: it is not, or too many attempts failed before.
    """
    try:
        check_own_password(request, password)
    except TooManyAttempts as error:
        raise ValidationError(str(error)) from error
    return password
