"""The only writer of organisations, users and tokens."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Model, Q
from django.utils import timezone

from ..common.audit import Action, SubjectKind, log_event
from ..common.kinds import AssetKind
from .models import ApiToken, Organization, Role, User
from .queries import locked
from .rules import check_admin_remains, check_expires_later, check_not_oneself, is_admin

TOKEN_BYTES = 20


def token_digest(secret: str) -> str:
    """Return what is kept of a token.

    A plain sha256 is enough: 160 random bits cannot be guessed, and each request looks one up.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def create_organization(id: str, *, name: str = "") -> Organization:
    """Create an organisation; raise ValidationError keyed by field."""
    organization = Organization(id=id, name=name)
    organization.full_clean(exclude=["id_key", "name_key"])
    with transaction.atomic():
        _insert(organization)
        kind = AssetKind.ORGANIZATION
        log_event(Action.CREATED, kind, name=organization.id, organization_id=organization.id)
    return organization


def log_user_change(user: User, changed: str, actor: User | None = None) -> None:
    """Tell the audit trail what changed about a user, such as "role: member, before: admin"."""
    _log_user_event(Action.CHANGED, user, {"changed": changed}, actor=actor)


def _log_user_event(
    action: Action, user: User, detail: dict[str, str] | None = None, **who: Any
) -> None:
    log_event(
        action,
        SubjectKind.USER,
        name=user.username,
        organization_id=user.organization_id,
        detail=detail,
        **who,
    )


def _insert(row: Model) -> None:
    """Insert a row; a name taken since it was looked up is refused in the same words as before."""
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        row.clean()
        row.validate_unique()
        raise


def create_user(
    username: str,
    *,
    organization: Organization | None,
    role: str = Role.MEMBER,
    password: str | None = None,
    is_superuser: bool = False,
) -> User:
    """Create a user; without a password it can sign in by token only.

    Raises:
        ValidationError: keyed by field (username taken, weak password, no organisation).
    """
    user = User(username=username, organization=organization, role=role, is_superuser=is_superuser)
    if password is None:
        user.set_unusable_password()
    else:
        # Checked below with the rest, so that all that is wrong is told at once.
        user.set_password(password)
    errors: dict[str, list[ValidationError]] = {}
    checks: list[Callable[[], None]] = [
        lambda: user.full_clean(exclude=["name_key"]),
        lambda: _check_password(password, user),
    ]
    for check in checks:
        try:
            check()
        except ValidationError as error:
            errors |= error.error_dict
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        _insert(user)
        _log_user_event(Action.CREATED, user, {"changed": f"role: {user.role}"})
    return user


def _check_password(password: str | None, user: User) -> None:
    if password is None:
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from error


def create_token(
    user: User,
    *,
    expires_at: datetime,
    kind: str = ApiToken.Kind.NAMED,
    note: str = "",
) -> tuple[ApiToken, str]:
    """Create a token; return it with its secret of 40 hexadecimal digits, seen only here.

    Raises:
        ValidationError: keyed by field.
    """
    now = timezone.now()
    check_expires_later(expires_at, now)
    secret = secrets.token_hex(TOKEN_BYTES)
    token = ApiToken(
        user=user,
        kind=kind,
        note=note,
        created_at=now,
        expires_at=expires_at,
        digest=token_digest(secret),
    )
    token.full_clean(exclude=["user"])
    with transaction.atomic():
        _insert(token)
        _log_token_event(Action.CREATED, token)
    return token, secret


def _log_token_event(action: Action, token: ApiToken, actor: User | None = None) -> None:
    log_event(
        action,
        SubjectKind.TOKEN,
        key=token.id,
        name=token.user.username,
        actor=actor,
        organization_id=token.user.organization_id,
        detail={"changed": token.note or token.get_kind_display()},
    )


def forget_expired_tokens(user: User) -> None:
    """Delete the user's expired implicit tokens."""
    user.api_tokens.filter(kind=ApiToken.Kind.IMPLICIT, expires_at__lte=timezone.now()).delete()


@transaction.atomic
def change_role(user: User, role: str, actor: User) -> None:
    """Give a user another role; raise ValidationError when that would leave no admin."""
    # Of two at once, the second waits, and the role before its own is the first's.
    user.role = _held(user).get(user.pk, user).role
    if role != user.role:
        _check_may_lose(user, actor)
        before, user.role = user.role, role
        user.full_clean(exclude=["password"])
        user.save(update_fields=["role"])
        log_user_change(user, f"role: {role}, before: {before}", actor)


@transaction.atomic
def set_active(user: User, active: bool, actor: User) -> None:
    """Let a user sign in, or keep it out; what it registered stays."""
    if not active:
        _check_may_lose(user, actor)
    user.is_active = active
    user.save(update_fields=["is_active"])
    log_user_change(user, "activated" if active else "deactivated", actor)


@transaction.atomic
def delete_user(user: User, actor: User) -> None:
    """Delete a user and its tokens; what it registered stays, and events keep its name."""
    _check_may_lose(user, actor)
    _log_user_event(Action.REMOVED, user, actor=actor)
    user.delete()


def _check_may_lose(user: User, actor: User) -> None:
    check_not_oneself(actor, user)
    if is_admin(user):
        others = [row for pk, row in _held(user).items() if pk != user.pk]
        check_admin_remains(len(others))


def _held(user: User) -> dict[int, User]:
    """Return the user and the admins of its organisation, held until the transaction ends.

    Two admins cannot demote each other at once. All in one order, or else they would deadlock.
    """
    admins = Q(organization_id=user.organization_id, role=Role.ADMIN, is_active=True)
    rows = User.objects.select_for_update().filter(admins | Q(pk=user.pk)).order_by("pk")
    return {row.pk: row for row in rows}


def remember(user: User, name: str, value: object) -> None:
    """Remember how the user likes a page; a preference is the user's own and no event."""
    user.preferences = {**user.preferences, name: value}
    user.save(update_fields=["preferences"])


@transaction.atomic
def set_password(
    user: User, password: str, actor: User, *, keep_tokens: Callable[[ApiToken], bool] | None = None
) -> None:
    """Set a password that the policy accepts; sessions end by it, and tokens are revoked.

    Args:
        actor: who sets it; the user itself, by its old password or by a link, or who manages it.
        keep_tokens: says which tokens stay; none if not given.

    Raises:
        ValidationError: keyed by `password`.
    """
    _check_password(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    log_user_change(user, "password", actor)
    for token in user.api_tokens.all():
        if keep_tokens is None or not keep_tokens(token):
            delete_token(token, actor)


def reset_token(user: User) -> str:
    """Return a secret that sets the user's password once, within PASSWORD_RESET_TIMEOUT."""
    log_user_change(user, "a link that sets the password was made")
    return default_token_generator.make_token(user)


def reset_token_is_valid(user: User, secret: str) -> bool:
    """Is this the user's, not too old, and not yet used?"""
    return user.is_active and default_token_generator.check_token(user, secret)


class LinkIsUsed(ValidationError):
    """The secret of a link sets no password, or none any more."""

    def __init__(self) -> None:
        super().__init__("The token is not valid, or was used, or is too old.", code="link")


@transaction.atomic
def set_password_by_link(user: User, secret: str, password: str) -> None:
    """Set the password of a user who has a link; the link works once, also if sent several times
    at once.

    Raises:
        ValidationError: keyed by `password`.
        LinkIsUsed: the secret is not the user's, too old, or used.
    """
    user = locked(user)
    if not reset_token_is_valid(user, secret):
        raise LinkIsUsed
    set_password(user, password, user)


def delete_token(token: ApiToken, actor: User) -> None:
    """Revoke a token at once."""
    with transaction.atomic():
        _log_token_event(Action.REMOVED, token, actor)
        token.delete()
