"""The only writer of second factors and identities of other providers."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from ..common.audit import Action, SubjectKind, log_event
from ..common.errors import TooManyAttempts
from ..organizations.models import Organization, Role, User
from ..organizations.queries import locked
from ..organizations.registration import create_user, log_user_change
from ..organizations.rules import second_factor_required
from .models import ExternalIdentity, RecoveryCode
from .rules import check_may_remove_factor, shown_name, trusted_name

RECOVERY_CODES = 10
# Without letters that are taken for others: 32 of them, 5 bits each.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"

# --- The second factor ---------------------------------------------------------------------------


def code_digest(code: str) -> str:
    """Return what is kept of a recovery code: 60 random bits, tried a few times at most."""
    return hashlib.sha256(code.replace("-", "").replace(" ", "").lower().encode()).hexdigest()


@transaction.atomic
def enrol(user: User, key: str, code: str, actor: User) -> list[str]:
    """Ask this user for a code at every sign-in from now on; return its recovery codes.

    Args:
        key: the secret that the telephone has, in hexadecimal digits.
        code: what the telephone shows.

    Raises:
        ValidationError: the user has a second factor already; or, keyed by `code`, it is not what
            a telephone with this secret shows.
    """
    # Held until the transaction ends: of two telephones at once, one is set up.
    if locked(user).second_factor_at is not None:
        raise ValidationError(
            "You have a second factor already. To change your telephone, turn it off first."
        )
    TOTPDevice.objects.filter(user=user).delete()
    device = TOTPDevice(user=user, key=key, name="telephone")
    if not device.verify_token(code):
        raise ValidationError(
            {"code": "This is not the code of now. Is the clock of your telephone right?"}
        )
    user.second_factor_at = timezone.now()
    user.save(update_fields=["second_factor_at"])
    log_user_change(user, "second factor on", actor)
    return new_recovery_codes(user, actor)


@transaction.atomic
def new_recovery_codes(user: User, actor: User) -> list[str]:
    """Replace the user's recovery codes; the new ones are seen only here."""
    codes = [
        "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(3))
        for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.objects.filter(user=user).delete()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user=user, digest=code_digest(code)) for code in codes]
    )
    log_user_change(user, "new recovery codes", actor)
    return codes


@transaction.atomic
def use_code(user: User, code: str) -> str:
    """Use up a code of the telephone, or a recovery code; return what is wrong, or nothing.

    Raises:
        TooManyAttempts: several wrong codes in a row make the next ones wait, longer each time.
    """
    # Held until the transaction ends: of two requests with one code, one has it.
    locked(user)
    device = TOTPDevice.objects.filter(user=user).first()
    wanted = code.replace(" ", "")
    if not wanted.isdecimal():
        if RecoveryCode.objects.filter(user=user, digest=code_digest(wanted)).delete()[0]:
            if device is not None:
                device.throttle_reset()
            return ""
        return "This is none of your recovery codes, or was used before."
    if device is None:
        return "There is no telephone to compare this code with. Ask an admin."
    allowed, why = device.verify_is_allowed()
    if not allowed:
        wait = max(why["locked_until"] - timezone.now(), timedelta())
        raise TooManyAttempts(wait, "There were too many wrong codes.")
    if not device.verify_token(wanted):
        return "This is not the code of now, or it was used before. Wait for the next one."
    return ""


@transaction.atomic
def remove_factor(user: User, actor: User) -> None:
    """Ask this user for no code any more; other browsers are signed out.

    Raises:
        ValidationError: the settings ask for one, and `actor` is the user itself.
    """
    check_may_remove_factor(user, actor, second_factor_required(user))
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    user.second_factor_at = None
    user.save(update_fields=["second_factor_at"])
    log_user_change(user, "second factor off", actor)


# --- Identities of other providers ---------------------------------------------------------------


class NotLetIn(Exception):
    """The provider knows this person, and this server does not let it in; the text says why."""


def user_of_identity(claims: Mapping[str, Any]) -> User:
    """Return the user whom the provider's (verified) claims are about, which may be created now.

    Raises:
        NotLetIn: nobody whom this server knows, or awaiting approval, or deactivated.
    """
    who = {"issuer": str(claims["iss"])[:255], "subject": str(claims["sub"])[:255]}
    identity = ExternalIdentity.objects.select_related("user").filter(**who).first()
    if identity is None or identity.user is None:
        identity = identity or _first_seen(who, claims)
    user = identity.user
    if user is None:
        raise NotLetIn(
            "You are not let in yet: an admin has to approve you first. Tell one that you are "
            f'waiting as "{identity.username}".'
        )
    if not user.is_active:
        raise NotLetIn("Your account is deactivated. An admin of your organisation can change it.")
    return user


@transaction.atomic
def _first_seen(who: dict[str, str], claims: Mapping[str, Any]) -> ExternalIdentity:
    identity = ExternalIdentity(
        **who,
        username=shown_name(claims),
        email=str(claims.get("email") or "")[:254],
        organization=_claimed_organization(claims),
        user=_linked(claims),
    )
    if identity.user is None:
        if settings.OIDC_UNKNOWN_USERS == "refuse":
            raise NotLetIn(
                "Nobody here has your account. Ask an admin of your organisation to invite you."
            )
        if settings.OIDC_UNKNOWN_USERS == "create" and identity.organization is not None:
            identity.user = _created(identity)
    identity.save(force_insert=True)
    if identity.user is not None:
        log_user_change(
            identity.user, f"known as {identity.subject} of {identity.issuer}", identity.user
        )
    return identity


def _claimed_organization(claims: Mapping[str, Any]) -> Organization | None:
    """Return the organisation that the configured claim names; a claim may be a list with one."""
    said = claims.get(settings.OIDC_ORGANIZATION_CLAIM) if settings.OIDC_ORGANIZATION_CLAIM else ()
    ids = [str(one) for one in (said if isinstance(said, list) else [said or ""])]
    found = list(Organization.objects.filter(pk__in=[one for one in ids if "\0" not in one]))
    # Whom two organisations claim belongs to neither until an admin says so.
    return found[0] if len(found) == 1 else None


def _linked(claims: Mapping[str, Any]) -> User | None:
    """Return the user whom the settings let the provider name. Superusers are never taken."""
    name = trusted_name(claims)
    if not name or "\0" in name:
        return None
    users = User.objects.filter(is_superuser=False, identities=None)
    if settings.OIDC_LINK_BY == "email":
        # An address that two users have is neither's. The case of a to z does not count, and no
        # other letter passes for one of them, whatever the database compares by.
        same = users.filter(email__iexact=name)
        found = [user for user in same if _lower(user.email) == _lower(name)]
        found = found or list(users.filter(username=name))
        return found[0] if len(found) == 1 else None
    # As it is written: to a provider, names that differ in case may be two people's.
    return users.filter(username=name).first()


def _lower(address: str) -> bytes:
    return address.encode().lower()


def _created(identity: ExternalIdentity) -> User:
    try:
        return create_user(
            identity.username, organization=identity.organization, role=settings.OIDC_NEW_ROLE
        )
    except ValidationError as error:
        raise NotLetIn(
            f'You cannot be added as "{identity.username}": {" ".join(error.messages)} '
            "Ask an admin of your organisation."
        ) from error


@transaction.atomic
def approve(
    identity: ExternalIdentity,
    actor: User,
    *,
    username: str,
    organization: Organization | None,
    role: str = Role.MEMBER,
) -> User:
    """Create the user of somebody who awaits approval.

    Raises:
        ValidationError: keyed by field (user name taken, no organisation).
    """
    user = create_user(username, organization=organization, role=role)
    identity.user = user
    identity.save(update_fields=["user"])
    log_user_change(user, f"let in as {identity.subject} of {identity.issuer}", actor)
    return user


def refuse(identity: ExternalIdentity, actor: User) -> None:
    """Forget somebody who awaits approval; who signs in again waits again."""
    organization_id = identity.organization_id or actor.organization_id
    log_event(
        Action.REMOVED,
        SubjectKind.USER,
        name=identity.username,
        actor=actor,
        organization_id=organization_id,
        detail={"changed": f"not let in as {identity.subject} of {identity.issuer}"},
    )
    identity.delete()
