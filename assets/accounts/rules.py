"""Who manages which users, which names are valid, and how sign-ins are limited.

Source: contract 1.3, 2.1.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _, gettext_lazy

from ..common.text.names import MAX_NAME_LENGTH, caseless, name_key

MAX_ID_LENGTH = 64

# The id is also the name of the organisation's folder below SERVERMEDIAS_ROOT.
validate_organization_id = RegexValidator(
    r"\A[A-Za-z0-9][A-Za-z0-9_.-]*\Z",
    gettext_lazy("Use letters, digits, '-', '_' and '.', beginning with a letter or a digit."),
)

ADMIN = "admin"

# Shown in place of a user's name: to other organisations, and once the user is deleted.
# Contract 2.6.
EXTERNAL, DELETED = "external", "deleted"

# How long after signing in or confirming the password a user can create tokens and set up a
# second factor without confirming it again.
CONFIRMED_SECONDS = 1800

# How long a user may take between the password and the code of the second factor.
PENDING_SECONDS = 600

# How long before a token expires its user is warned.
EXPIRES_SOON = timedelta(days=7)

# --- Who manages which users ---------------------------------------------------------------------


def acts_for(user: Any, organization_id: str | None) -> bool:
    """Return whether the user acts for this organisation; no user acts for none."""
    return bool(organization_id) and user.organization_id == organization_id


def acts_for_one(user: Any) -> bool:
    """Return whether the user acts for an organisation, which the API and its tokens require."""
    return bool(user.is_active and user.organization_id)


def manages_all(user: Any) -> bool:
    """Return whether the user is a platform superuser, who manages all organisations and users."""
    return bool(user.is_active and user.is_superuser)


def is_admin(user: Any) -> bool:
    """Return whether the user is an admin of an organisation."""
    return acts_for_one(user) and user.role == ADMIN


def may_enter_admin(user: Any) -> bool:
    """Return whether the user may read in the admin; each change there is checked again."""
    return manages_all(user) or acts_for_one(user)


def may_add_organizations(user: Any) -> bool:
    """Return whether the user may add organisations: platform superusers may."""
    return manages_all(user)


def may_manage_users(user: Any, organization_id: str | None) -> bool:
    """Return whether the user may manage an organisation's users: its admins and superusers may."""
    return manages_all(user) or (is_admin(user) and acts_for(user, organization_id))


def may_manage_user(actor: Any, user: Any) -> bool:
    """Return whether the actor may manage the user; only superusers manage superusers.

    Otherwise an admin could set a superuser's password, and so become one.
    """
    return may_manage_users(actor, user.organization_id) and (
        manages_all(actor) or not user.is_superuser
    )


def may_manage_runners(user: Any, organization_id: str | None) -> bool:
    """Return whether the user may register runners, and decide what they run: its admins may.

    Superusers of no or another organisation may not: a runner downloads what its organisation may.
    """
    return is_admin(user) and acts_for(user, organization_id)


def may_revoke_runners(user: Any, organization_id: str | None) -> bool:
    """Return whether the user may revoke an organisation's runners: its admins and superusers may.

    Revoking gives no access.
    """
    return manages_all(user) or may_manage_runners(user, organization_id)


def check_not_oneself(actor: Any, user: Any) -> None:
    """Return nothing if the actor is another user: users cannot lock themselves out.

    Raises:
        ValidationError: the actor is the user.
    """
    if actor.pk == user.pk:
        message = _("You cannot demote, deactivate or delete yourself. Ask another admin.")
        raise ValidationError(message, code="oneself")


def check_admin_remains(other_admins: int) -> None:
    """Return nothing if the organisation has other active admins.

    Raises:
        ValidationError: it has none.
    """
    if other_admins == 0:
        message = _("This is the organisation's last active admin. Make another user admin first.")
        raise ValidationError(message, code="last_admin")


def check_another(actor: Any, user: Any) -> None:
    """Return nothing if the actor may set this user's password without the old one.

    Raises:
        ValidationError: the actor is the user.
    """
    if actor.pk == user.pk:
        message = _("To change your own password, go to Account, where you enter the old one.")
        raise ValidationError(message, code="oneself")


# --- Names and tokens ----------------------------------------------------------------------------


def check_username(name: str) -> None:
    """Return nothing if a user may have this name.

    Raises:
        ValidationError: pages show the name in place of other users' names, or it has no letter
            and no digit and could not be part of a URL.
    """
    if name_key(name) in map(name_key, (EXTERNAL, DELETED)):
        message = _('"%(name)s" stands for other users on pages. Choose another name.')
        raise ValidationError(message % {"name": name}, code="reserved")
    if not any(map(str.isalnum, name)):
        raise ValidationError(_("Use at least one letter or digit."), code="no_letter")


def check_expires_later(expires_at: datetime, now: datetime) -> None:
    """Return nothing if a token expires later than now.

    Raises:
        ValidationError: it does not.
    """
    if expires_at <= now:
        raise ValidationError(_("Must be in the future."), code="past")


def expiry_of(expires_at: datetime, now: datetime) -> str:
    """Return "expired", "soon" (within 7 days) or, for a later expiry, an empty string."""
    if expires_at <= now:
        return "expired"
    return "soon" if expires_at - now <= EXPIRES_SOON else ""


# --- Signing in ----------------------------------------------------------------------------------


def attempted_name(username: str) -> str:
    """Return the name under which failed sign-ins are counted: the same in any case."""
    return caseless(username[:MAX_NAME_LENGTH].replace("\0", " "))[:MAX_NAME_LENGTH]


def wait_until_free(failures: int, last_at: datetime, limit: int, now: datetime) -> timedelta:
    """Return how long to wait after these failures; zero if the next attempt may come at once."""
    if failures < limit:
        return timedelta()
    return max(last_at + settings.LOGIN_COOLOFF - now, timedelta())


def second_factor_required(user: Any) -> bool:
    """Return whether the settings require a second factor of this user."""
    is_admin = user.is_superuser or user.role == ADMIN
    return settings.REQUIRE_SECOND_FACTOR == "all" or (
        settings.REQUIRE_SECOND_FACTOR == "admins" and is_admin
    )


def check_may_remove_factor(user: Any, actor: Any, required: bool) -> None:
    """Return nothing if the actor may turn off the user's second factor.

    Raises:
        ValidationError: the settings require it and the actor is the user; an admin may reset it.
    """
    if required and user.pk == actor.pk:
        message = _(
            "This server requires a second factor. To change your phone, ask an admin to reset "
            "your second factor, then set up the new phone when you sign in."
        )
        raise ValidationError(message, code="required")


def trusted_name(claims: Mapping[str, Any]) -> str:
    """Return the provider's claim that the settings trust to identify an existing user, or ""."""
    if settings.OIDC_LINK_BY == "username":
        return str(claims.get("preferred_username") or "")
    # Anyone may have typed an unverified address.
    if settings.OIDC_LINK_BY == "email" and claims.get("email_verified") is True:
        return str(claims.get("email") or "")
    return ""


def shown_name(claims: Mapping[str, Any]) -> str:
    """Return the provider's name for a person, which suggests the user name."""
    names = (claims.get(name) for name in ("preferred_username", "email", "sub"))
    return next((str(name) for name in names if name), "")[:150]
