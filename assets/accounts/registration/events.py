"""Events about users, for the audit trail."""

from typing import Any

from ...common.audit import Action, SubjectKind, log_event
from ..models import User


def log_user_change(user: User, changed: str, actor: User | None = None) -> None:
    """Tell the audit trail what changed about a user, such as "role: member, before: admin"."""
    log_user_event(Action.CHANGED, user, {"changed": changed}, actor=actor)


def log_user_event(
    action: Action, user: User, detail: dict[str, str] | None = None, **who: Any
) -> None:
    log_event(
        action,
        SubjectKind.USER,
        name=user.username,
        organization_id=user.organization_id,
        detail=detail,
        **who,
    )
