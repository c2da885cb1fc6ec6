"""The only writer of identities at the OpenID Connect provider."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from ...common.audit import Action, SubjectKind, log_event
from ..models import ExternalIdentity, Organization, Role, User
from ..rules import shown_name, trusted_name
from .events import log_user_change
from .users import create_user

# --- Identities of other providers ---------------------------------------------------------------


class SignInRefused(Exception):
    """The provider knows this person, and this server does not let it in; the text says why."""


def user_of_identity(claims: Mapping[str, Any]) -> User:
    """Return the user whom the provider's (verified) claims are about, which may be created now.

    Raises:
        SignInRefused: nobody whom this server knows, or awaiting approval, or deactivated.
    """
    who = {"issuer": str(claims["iss"])[:255], "subject": str(claims["sub"])[:255]}
    identity = ExternalIdentity.objects.select_related("user").filter(**who).first()
    if identity is None or identity.user is None:
        identity = identity or _first_seen(who, claims)
    user = identity.user
    if user is None:
        raise SignInRefused(
            "You are not let in yet: an admin has to approve you first. Tell one that you are "
            f'waiting as "{identity.username}".'
        )
    if not user.is_active:
        raise SignInRefused(
            "Your account is deactivated. An admin of your organisation can change it."
        )
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
            raise SignInRefused(
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
        raise SignInRefused(
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
