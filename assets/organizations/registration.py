"""The only writer of organisations, users and tokens."""

import hashlib
import secrets
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.db import transaction
from django.utils import timezone

from .models import ApiToken, Organization, Role, User

TOKEN_BYTES = 20


def token_digest(secret: str) -> str:
    """Return what is kept of a token.

    A plain sha256 is enough: 160 random bits cannot be guessed, and each request looks one up.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def create_organization(id: str, *, name: str = "") -> Organization:
    """Create an organisation; raise ValidationError keyed by field."""
    organization = Organization(id=id, name=name)
    organization.full_clean()
    organization.save(force_insert=True)
    return organization


@transaction.atomic
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
        validate_password(password, user)
        user.set_password(password)
    user.full_clean()
    user.save(force_insert=True)
    return user


def create_token(
    user: User, *, expires_at: datetime, kind: str = ApiToken.Kind.NAMED, note: str = ""
) -> tuple[ApiToken, str]:
    """Create a token; return it with its secret of 40 hexadecimal digits, seen only here."""
    secret = secrets.token_hex(TOKEN_BYTES)
    token = ApiToken(
        user=user, kind=kind, note=note, expires_at=expires_at, digest=token_digest(secret)
    )
    token.full_clean(exclude=["user"])
    token.save(force_insert=True)
    return token, secret


def forget_expired_tokens(user: User) -> None:
    """Delete the user's expired implicit tokens."""
    user.api_tokens.filter(kind=ApiToken.Kind.IMPLICIT, expires_at__lte=timezone.now()).delete()
