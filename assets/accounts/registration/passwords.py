"""The only writer of passwords."""

from collections.abc import Callable

from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from ..models import ApiToken, User
from ..queries import locked
from .events import log_user_change
from .tokens import delete_token


def check_password(password: str, user: User) -> None:
    """Return nothing if the password policy accepts the password for this user.

    Raises:
        ValidationError: keyed by `password`.
    """
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.error_list}) from error


@transaction.atomic
def set_password(
    user: User, password: str, actor: User, *, keep_tokens: Callable[[ApiToken], bool] | None = None
) -> None:
    """Set a user's password; the user's sessions end and its tokens are revoked.

    Args:
        actor: who sets it: the user, with the old password or a reset link, or an admin.
        keep_tokens: returns whether a token stays valid; by default none does.

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


def create_reset_token(user: User) -> str:
    """Return a secret that sets the user's password once, within PASSWORD_RESET_TIMEOUT."""
    log_user_change(user, "a link that sets the password was made")
    return default_token_generator.make_token(user)


def is_reset_token_valid(user: User, secret: str) -> bool:
    """Return whether this is an active user's reset token, neither expired nor used."""
    return user.is_active and default_token_generator.check_token(user, secret)


class InvalidResetToken(ValidationError):
    """The reset token is not the user's, has expired or was already used."""

    def __init__(self) -> None:
        message = _("This link is not valid, has expired or was already used.")
        super().__init__(message, code="link")


@transaction.atomic
def set_password_by_link(user: User, secret: str, password: str) -> None:
    """Set the password of a user who has a reset link, which works once.

    Raises:
        ValidationError: keyed by `password`.
        InvalidResetToken: the secret is not the user's, has expired or was already used.
    """
    # The lock makes requests with the same link wait for each other: only the first succeeds.
    user = locked(user)
    if not is_reset_token_valid(user, secret):
        raise InvalidResetToken
    set_password(user, password, user)
