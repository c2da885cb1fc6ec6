"""Rules about decisions on what runners run, and about dry runs."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from ..common.errors import Code, Problem
from ..common.rules import unprintable

MAX_REASON_LENGTH = 500
TRIAL = "trial"
MAX_FAKE_SAMPLES = 1000


def check_reason(reason: str) -> Iterator[Problem]:
    """Yield a problem unless this is a reason that others can read: a line of text."""
    message = ""
    if not reason.strip():
        message = _("cannot be blank. Say why, so that the owner can act on it.")
    elif bad := unprintable(reason):
        message = _("contains the character %(character)s, which is not allowed. Remove it.")
        message %= {"character": bad}
    elif len(reason) > MAX_REASON_LENGTH:
        message = _("can have %(limit)d characters at most. This has %(count)d. Shorten it.")
        message %= {"limit": MAX_REASON_LENGTH, "count": len(reason)}
    if message:
        yield Problem(Code.INVALID, message, field="reason")


def check_fake_samples(count: int) -> Iterator[Problem]:
    """Yield a problem unless a dry run can have this number of data samples."""
    if not 1 <= count <= MAX_FAKE_SAMPLES:
        message = _("must be between 1 and %(limit)d.") % {"limit": MAX_FAKE_SAMPLES}
        yield Problem(Code.INVALID, message, field="fake_samples", asset=TRIAL)
