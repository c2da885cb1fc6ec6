"""How often one may fail to sign in, who is let in by what a provider says, and who needs codes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from ..common.text.names import MAX_NAME_LENGTH, caseless

# How long one may take between the password and the code.
PENDING_SECONDS = 600


def attempted_name(username: str) -> str:
    """Return how failed sign-ins keep a name that somebody typed: the same in any case."""
    return caseless(username[:MAX_NAME_LENGTH].replace("\0", " "))[:MAX_NAME_LENGTH]


def wait_until_free(failures: int, last_at: datetime, limit: int, now: datetime) -> timedelta:
    """Return how long whoever failed so often waits; zero if it may try at once."""
    if failures < limit:
        return timedelta()
    return max(last_at + settings.LOGIN_COOLOFF - now, timedelta())


def trusted_name(claims: Mapping[str, Any]) -> str:
    """Return the claim by which the settings let an existing user be found; blank for none."""
    if settings.OIDC_LINK_BY == "username":
        return str(claims.get("preferred_username") or "")
    # An address that nobody verified is what anyone may have typed.
    if settings.OIDC_LINK_BY == "email" and claims.get("email_verified") is True:
        return str(claims.get("email") or "")
    return ""


def shown_name(claims: Mapping[str, Any]) -> str:
    """Return what the provider calls somebody: a proposal for a user name."""
    names = (claims.get(name) for name in ("preferred_username", "email", "sub"))
    return next((str(name) for name in names if name), "")[:150]


def check_may_remove_factor(user: Any, actor: Any, required: bool) -> None:
    """Nobody turns off what the settings ask for; an admin still resets it. Raises."""
    if required and user.pk == actor.pk:
        raise ValidationError(
            "This server asks you for a second factor. To change your telephone, ask an admin to "
            "reset it: you set up the new one when you sign in next.",
            code="required",
        )
