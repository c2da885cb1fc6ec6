"""The only writer of API tokens."""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import override

from ...common.audit import Action, SubjectKind, log_event
from ..models import ApiToken, User
from ..rules import check_expires_later
from .rows import insert

TOKEN_BYTES = 20


def token_digest(secret: str) -> str:
    """Return the digest that the database stores in place of a token's secret.

    A plain SHA-256 is enough: 160 random bits cannot be guessed, and every request looks one up.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def check_token(
    user: User, *, expires_at: datetime, kind: str = ApiToken.Kind.NAMED, note: str = ""
) -> tuple[ApiToken, str]:
    """Return a token, not yet saved, and its secret of 40 hexadecimal digits.

    Raises:
        ValidationError: keyed by field, or not keyed if it has expired already.
    """
    now = timezone.now()
    check_expires_later(expires_at, now)
    secret = secrets.token_hex(TOKEN_BYTES)
    digest = token_digest(secret)
    token = ApiToken(
        user=user, kind=kind, note=note, created_at=now, expires_at=expires_at, digest=digest
    )
    token.full_clean(exclude=["user"])
    return token, secret


def create_token(
    user: User, *, expires_at: datetime, kind: str = ApiToken.Kind.NAMED, note: str = ""
) -> tuple[ApiToken, str]:
    """Create a token; return it with its secret, which is stored nowhere.

    Raises:
        ValidationError: see `check_token`.
    """
    token, secret = check_token(user, expires_at=expires_at, kind=kind, note=note)
    with transaction.atomic():
        insert(token)
        _log_token_event(Action.CREATED, token)
    return token, secret


@transaction.atomic
def delete_token(token: ApiToken, actor: User) -> None:
    """Revoke a token at once."""
    _log_token_event(Action.REMOVED, token, actor)
    token.delete()


def delete_expired_tokens(user: User) -> None:
    """Delete the user's expired implicit tokens."""
    user.api_tokens.filter(kind=ApiToken.Kind.IMPLICIT, expires_at__lte=timezone.now()).delete()


def _log_token_event(action: Action, token: ApiToken, actor: User | None = None) -> None:
    # Events are stored in English, whatever the reader's language is.
    with override("en"):
        kind = str(token.get_kind_display())
    log_event(
        action,
        SubjectKind.TOKEN,
        key=token.id,
        name=token.user.username,
        actor=actor,
        organization_id=token.user.organization_id,
        detail={"changed": token.note or kind},
    )
