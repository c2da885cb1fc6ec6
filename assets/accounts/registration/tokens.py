"""The only writer of API tokens."""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from ...common.audit import Action, SubjectKind, log_event
from ..models import ApiToken, User
from ..rules import check_expires_later
from .rows import insert

TOKEN_BYTES = 20


def token_digest(secret: str) -> str:
    """Return what is kept of a token.

    A plain sha256 is enough: 160 random bits cannot be guessed, and each request looks one up.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


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
        insert(token)
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


def delete_token(token: ApiToken, actor: User) -> None:
    """Revoke a token at once."""
    with transaction.atomic():
        _log_token_event(Action.REMOVED, token, actor)
        token.delete()
