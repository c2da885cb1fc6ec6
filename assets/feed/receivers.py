"""Writes events for the signals of lower rooms, and of Django's sign-in."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver

from ..accounts.models import User
from ..common.audit import Action, SubjectKind, event_logged
from .registration import record_private


@receiver(event_logged)
def write(signal: Any, sender: Any, **event: Any) -> None:
    record_private(**event)


@receiver(user_logged_in)
def signed_in(sender: Any, user: User, **_: Any) -> None:
    record_private(Action.SIGNED_IN, SubjectKind.USER, name=user.username, actor=user)


@receiver(user_logged_out)
def signed_out(sender: Any, user: User | None, **_: Any) -> None:
    if user is not None:  # a session that had ended already
        record_private(Action.SIGNED_OUT, SubjectKind.USER, name=user.username, actor=user)
