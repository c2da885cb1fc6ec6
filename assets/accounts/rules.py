"""Who manages whom, which names are valid, and how sign-ins are limited.

Source: contract 1.3, 2.1.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from ..common.text.names import MAX_NAME_LENGTH, caseless, name_key

MAX_ID_LENGTH = 64


# The id is also the name of the organisation's folder below SERVERMEDIAS_ROOT.
validate_organization_id = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9_.-]*\Z",
    "Use letters, digits, '-', '_' and '.', beginning with a letter or a digit.",
)


ADMIN = "admin"


# What is shown in place of a user's name: to other organisations, and of a user that was deleted.
# Contract 2.6.
EXTERNAL, DELETED = "external", "deleted"


# How long after a sign-in, or after the password was asked for, one can make tokens and set up a
# second factor without being asked again.
CONFIRMED_SECONDS = 1800


# When the user of a token is told that it ends.
EXPIRES_SOON = timedelta(days=7)


def acts_for(user: Any, organization_id: str | None) -> bool:
    """Is this the organisation that the user acts for? Nobody acts for none."""
    return bool(organization_id) and user.organization_id == organization_id


def acts_for_one(user: Any) -> bool:
    """The API and its tokens are for those who act for an organisation."""
    return bool(user.is_active and user.organization_id)


def manages_all(user: Any) -> bool:
    """Platform superusers manage the consortium: its organisations, and everybody's users."""
    return bool(user.is_active and user.is_superuser)


def is_admin(user: Any) -> bool:
    """Is the user one of those who manage an organisation?"""
    return acts_for_one(user) and user.role == ADMIN


def may_enter_admin(user: Any) -> bool:
    """Whoever is somebody here looks around in the admin; what it may do there is asked again."""
    return manages_all(user) or acts_for_one(user)


def may_add_organizations(user: Any) -> bool:
    """Platform superusers add organisations to the consortium."""
    return manages_all(user)


def may_manage_users(user: Any, organization_id: str | None) -> bool:
    """An organisation's admins manage its users; a platform superuser manages everybody's."""
    return manages_all(user) or (is_admin(user) and acts_for(user, organization_id))


def may_manage_user(actor: Any, user: Any) -> bool:
    """Whoever sets a superuser's password becomes one: superusers are managed by superusers."""
    return may_manage_users(actor, user.organization_id) and (
        manages_all(actor) or not user.is_superuser
    )


def second_factor_required(user: Any) -> bool:
    """Do the settings ask that this user signs in by more than a password?"""
    is_admin = user.is_superuser or user.role == ADMIN
    return settings.REQUIRE_SECOND_FACTOR == "all" or (
        settings.REQUIRE_SECOND_FACTOR == "admins" and is_admin
    )


def check_username(name: str) -> None:
    """No user is called what stands for other users, or has a name without a letter or a digit,
    which an address may not hold. Raises ValidationError."""
    if name_key(name) in map(name_key, (EXTERNAL, DELETED)):
        raise ValidationError(
            f'"{name}" is what pages show in place of the names of other users. Choose another.',
            code="reserved",
        )
    if not any(map(str.isalnum, name)):
        raise ValidationError("Use at least one letter or digit.", code="no_letter")


def check_not_oneself(actor: Any, user: Any) -> None:
    """Nobody locks itself out. Raises ValidationError."""
    if actor.pk == user.pk:
        raise ValidationError(
            "You cannot demote, deactivate or delete yourself; ask another admin.", code="oneself"
        )


def check_admin_remains(other_admins: int) -> None:
    """An organisation keeps an active admin. Raises ValidationError."""
    if other_admins == 0:
        raise ValidationError(
            "This is the last active admin of the organisation; make another user admin first.",
            code="last_admin",
        )


def check_expires_later(expires_at: datetime, now: datetime) -> None:
    """A token is valid for a while. Raises ValidationError."""
    if expires_at <= now:
        raise ValidationError("Must be in the future.", code="past")


def check_another(actor: Any, user: Any) -> None:
    """One's own password is changed where the old one is asked for. Raises ValidationError."""
    if actor.pk == user.pk:
        raise ValidationError(
            "This is for other users. Change your own password under Account, where you give the "
            "present one as well.",
            code="oneself",
        )


def expiry_of(expires_at: datetime, now: datetime) -> str:
    """Return "expired", "soon" or, while a token is valid for long enough, nothing."""
    if expires_at <= now:
        return "expired"
    return "soon" if expires_at - now <= EXPIRES_SOON else ""


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
