"""The only writer of passwords."""

from collections.abc import Callable

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction

from ..models import ApiToken, User
from ..queries import locked
from .events import log_user_change
from .tokens import delete_token


def check_password(password: str | None, user: User) -> None:
    if password is None:
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from error


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
    check_password(password, user)
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
