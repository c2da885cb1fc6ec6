"""Events about users, for the audit trail."""

from typing import Any

from ...common.audit import Action, SubjectKind, log_event
from ..models import User


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
