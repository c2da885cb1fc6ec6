"""The only writer of second factors."""

import hashlib
import secrets
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from ...common.errors import TooManyAttempts
from ..models import RecoveryCode, User
from ..queries import locked
from ..rules import check_may_remove_factor, second_factor_required
from .events import log_user_change

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
