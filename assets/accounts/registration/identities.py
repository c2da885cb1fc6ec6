"""The only writer of identities at the OpenID Connect provider."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ...common.audit import Action, SubjectKind, log_event
from ..models import ExternalIdentity, Organization, Role, User
from ..rules import shown_name, trusted_name
from .events import log_user_change
from .users import create_user


class SignInRefused(Exception):
    """The provider identified a person that may not sign in here; the text says why."""


def user_of_identity(claims: Mapping[str, Any]) -> User:
    """Return the user that the provider's verified claims identify, or create it.

    Raises:
        SignInRefused: the person is unknown or awaits approval, or the user is deactivated.
    """
    key = {"issuer": str(claims["iss"])[:255], "subject": str(claims["sub"])[:255]}
    identity = ExternalIdentity.objects.select_related("user").filter(**key).first()
    if identity is None:
        identity = _create_identity(key, claims)
    user = identity.user
    if user is None:
        message = _(
            "An admin has to approve you before you can sign in. Let an admin know that you are "
            'waiting as "%(name)s".'
        )
        raise SignInRefused(message % {"name": identity.username})
    if not user.is_active:
        raise SignInRefused(
            _("Your account is deactivated. Ask an admin of your organisation to activate it.")
        )
    return user


@transaction.atomic
def _create_identity(key: dict[str, str], claims: Mapping[str, Any]) -> ExternalIdentity:
    identity = ExternalIdentity(
        **key,
        username=shown_name(claims),
        email=str(claims.get("email") or "")[:254],
        organization=_claimed_organization(claims),
        user=_existing_user(claims),
    )
    if identity.user is None:
        if settings.OIDC_UNKNOWN_USERS == "refuse":
            raise SignInRefused(
                _("You have no account here. Ask an admin of your organisation to invite you.")
            )
        if settings.OIDC_UNKNOWN_USERS == "create" and identity.organization is not None:
            identity.user = _create_user(identity)
    identity.save(force_insert=True)
    if identity.user is not None:
        log_user_change(identity.user, f"known as {_described(identity)}", identity.user)
    return identity


def _described(identity: ExternalIdentity) -> str:
    return f"{identity.subject} of {identity.issuer}"


def _claimed_organization(claims: Mapping[str, Any]) -> Organization | None:
    """Return the organisation that the configured claim names, if it names exactly one."""
    claim = claims.get(settings.OIDC_ORGANIZATION_CLAIM) if settings.OIDC_ORGANIZATION_CLAIM else ()
    ids = [str(id) for id in (claim if isinstance(claim, list) else [claim or ""])]
    found = list(Organization.objects.filter(pk__in=[id for id in ids if "\0" not in id]))
    return found[0] if len(found) == 1 else None


def _existing_user(claims: Mapping[str, Any]) -> User | None:
    """Return the user that the settings let the provider identify; never a superuser."""
    name = trusted_name(claims)
    if not name or "\0" in name:
        return None
    users = User.objects.filter(is_superuser=False, identities=None)
    if settings.OIDC_LINK_BY == "email":
        # Databases compare letters beyond ASCII differently: only the case of a to z is ignored.
        same = users.filter(email__iexact=name)
        found = [user for user in same if _lower(user.email) == _lower(name)]
        found = found or list(users.filter(username=name))
        # An address that two users have identifies neither.
        return found[0] if len(found) == 1 else None
    # To a provider, names that differ in case may be two people's.
    return users.filter(username=name).first()


def _lower(address: str) -> bytes:
    return address.encode().lower()


def _create_user(identity: ExternalIdentity) -> User:
    try:
        return create_user(
            identity.username, organization=identity.organization, role=settings.OIDC_NEW_ROLE
        )
    except ValidationError as error:
        message = _(
            'You cannot be added as "%(name)s": %(problems)s Ask an admin of your organisation.'
        )
        values = {"name": identity.username, "problems": " ".join(error.messages)}
        raise SignInRefused(message % values) from error


@transaction.atomic
def approve(
    identity: ExternalIdentity,
    actor: User,
    *,
    username: str,
    organization: Organization | None,
    role: str = Role.MEMBER,
) -> User:
    """Create and return the user of a person who awaits approval.

    Raises:
        ValidationError: see `check_user`.
    """
    user = create_user(username, organization=organization, role=role)
    identity.user = user
    identity.save(update_fields=["user"])
    log_user_change(user, f"let in as {_described(identity)}", actor)
    return user


def refuse(identity: ExternalIdentity, actor: User) -> None:
    """Delete a person who awaits approval; a new sign-in creates the request again."""
    log_event(
        Action.REMOVED,
        SubjectKind.USER,
        name=identity.username,
        actor=actor,
        organization_id=identity.organization_id or actor.organization_id,
        detail={"changed": f"not let in as {_described(identity)}"},
    )
    identity.delete()
