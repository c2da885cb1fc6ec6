"""The only writer of second factors."""

import hashlib
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from ...common.errors import TooManyAttempts
from ..models import RecoveryCode, User
from ..queries import locked
from ..rules import check_may_remove_factor, second_factor_required
from .events import log_user_change

RECOVERY_CODES = 10
# 32 letters and digits that cannot be mistaken for each other, 5 bits each.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def code_digest(code: str) -> str:
    """Return the digest that the database stores in place of a recovery code.

    A plain SHA-256 is enough: a code has 60 random bits, and wrong attempts are limited.
    """
    return hashlib.sha256(code.replace("-", "").replace(" ", "").lower().encode()).hexdigest()


@transaction.atomic
def enrol(user: User, key: str, code: str, actor: User) -> list[str]:
    """Set up a second factor, required at every sign-in from now on; return the recovery codes.

    Args:
        key: the secret that the authenticator app has, in hexadecimal digits.
        code: the code that the app shows.

    Raises:
        ValidationError: the user has a second factor already; or, keyed by `code`, the code is not
            one of an app with this secret.
    """
    # The lock makes simultaneous requests wait: only the first sets up a second factor.
    if locked(user).second_factor_at is not None:
        raise ValidationError(
            _("You have a second factor already. To change your phone, turn it off first.")
        )
    TOTPDevice.objects.filter(user=user).delete()
    device = TOTPDevice(user=user, key=key, name="telephone")
    if not device.verify_token(code):
        message = _("Incorrect code. Check that the clock of your phone is right.")
        raise ValidationError({"code": message})
    user.second_factor_at = timezone.now()
    user.save(update_fields=["second_factor_at"])
    log_user_change(user, "second factor on", actor)
    return new_recovery_codes(user, actor)


@transaction.atomic
def new_recovery_codes(user: User, actor: User) -> list[str]:
    """Replace the user's recovery codes; return the new ones, which are stored nowhere."""
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
    """Use up a code of the authenticator app, or a recovery code.

    Return an empty string, or why the code is refused: raising would roll back the count of
    failures, which belongs to the same transaction.

    Raises:
        TooManyAttempts: after several wrong codes in a row, the next one must wait.
    """
    # The lock makes simultaneous requests wait: only the first can use the code.
    locked(user)
    device = TOTPDevice.objects.filter(user=user).first()
    code = code.replace(" ", "")
    if not code.isdecimal():
        if RecoveryCode.objects.filter(user=user, digest=code_digest(code)).delete()[0]:
            if device is not None:
                device.throttle_reset()
            return ""
        return _("This is not one of your recovery codes, or it was already used.")
    if device is None:
        return _("You have no phone set up for codes. Ask an admin.")
    allowed, why = device.verify_is_allowed()
    if not allowed:
        wait = max(why["locked_until"] - timezone.now(), timedelta())
        raise TooManyAttempts(wait, _("There were too many wrong codes."))
    if not device.verify_token(code):
        return _("Incorrect or already used code. Wait for the next one.")
    return ""


@transaction.atomic
def remove_factor(user: User, actor: User) -> None:
    """Remove a user's second factor and recovery codes; the user's other sessions end.

    Raises:
        ValidationError: the settings require it and the actor is the user.
    """
    check_may_remove_factor(user, actor, second_factor_required(user))
    TOTPDevice.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    user.second_factor_at = None
    user.save(update_fields=["second_factor_at"])
    log_user_change(user, "second factor off", actor)
