"""What is told of becomes events: of rooms that know none, and of Django's own sign-in."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from ..common.audit import Action, Result, SubjectKind, told
from ..organizations.models import User
from .registration import record_private


@receiver(told)
def write(signal: Any, sender: Any, **event: Any) -> None:
    record_private(**event)


@receiver(user_logged_in)
def signed_in(sender: Any, user: User, **_: Any) -> None:
    record_private(Action.SIGNED_IN, SubjectKind.USER, name=user.username, actor=user)


@receiver(user_logged_out)
def signed_out(sender: Any, user: User | None, **_: Any) -> None:
    if user is not None:  # a session that had ended already
        record_private(Action.SIGNED_OUT, SubjectKind.USER, name=user.username, actor=user)


@receiver(user_login_failed)
def refused(sender: Any, credentials: dict[str, Any], **_: Any) -> None:
    """Somebody failed to sign in; the admins of the user that was named are told."""
    name = str(credentials.get("username", "")).replace("\0", " ")
    user = User.objects.filter(username=name).first()
    record_private(
        Action.SIGNED_IN,
        SubjectKind.USER,
        name=name,
        organization_id=user.organization_id if user else None,
        result=Result.REFUSED,
    )
