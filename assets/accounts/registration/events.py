"""Events about users, for the audit trail."""

import re
from typing import Any

from django.utils.translation import gettext_lazy as _

from ...common.audit import Action, SubjectKind, log_event
from ..models import User

# What events store, in English, with the message that shows it to people.
_CHANGES = (
    (r"role: (?P<role>\w+)", _("role: %(role)s")),
    (r"role: (?P<role>\w+), before: (?P<before>\w+)", _("role: %(role)s, before: %(before)s")),
    (r"known as (?P<who>.*)", _("known as %(who)s")),
    (r"let in as (?P<who>.*)", _("let in as %(who)s")),
    (r"not let in as (?P<who>.*)", _("not let in as %(who)s")),
    ("may try to sign in again", _("may try to sign in again")),
    (
        r"may try to sign in again from (?P<address>\S+)",
        _("may try to sign in again from %(address)s"),
    ),
    (r"locked after (?P<count>\d+) failed attempts", _("locked after %(count)s failed attempts")),
    (
        r"(?P<count>\d+) attempts failed before this one",
        _("%(count)s attempts failed before this one"),
    ),
    ("password", _("password")),
    ("a link that sets the password was made", _("a link that sets the password was made")),
    ("second factor on", _("second factor on")),
    ("second factor off", _("second factor off")),
    ("new recovery codes", _("new recovery codes")),
    ("activated", _("activated")),
    ("deactivated", _("deactivated")),
    ("made by signing in with a password", _("made by signing in with a password")),
    ("made on purpose", _("made on purpose")),
    ("runners run everything that is permitted", _("runners run everything that is permitted")),
    ("runners run approved functions only", _("runners run approved functions only")),
    ("runners run approved compute plans only", _("runners run approved compute plans only")),
)


def change_text(changed: str) -> str:
    """Return what an event says of a user or token, in the reader's language if it is fixed."""
    for pattern, message in _CHANGES:
        if found := re.fullmatch(pattern, changed, re.DOTALL):
            return str(message) % found.groupdict()
    return changed


def log_user_event(action: Action, user: User, changed: str = "", **who: Any) -> None:
    """Log what happened to a user; `changed` describes it, such as "role: member"."""
    log_event(
        action,
        SubjectKind.USER,
        name=user.username,
        organization_id=user.organization_id,
        detail={"changed": changed} if changed else None,
        **who,
    )


def log_user_change(user: User, changed: str, actor: User | None = None) -> None:
    """Log a change of a user, such as "role: member, before: admin"."""
    log_user_event(Action.CHANGED, user, changed, actor=actor)
