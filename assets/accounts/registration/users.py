"""The only writer of users."""

from copy import copy

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from ...common.audit import Action
from ..models import Organization, Role, User
from ..rules import check_admin_remains, check_not_oneself, is_admin
from .events import log_user_change, log_user_event
from .passwords import check_password
from .rows import insert


def check_user(
    username: str,
    *,
    organization: Organization | None,
    role: str = Role.MEMBER,
    password: str | None = None,
    password_hash: str = "",
    is_superuser: bool = False,
) -> User:
    """Return the user, not yet saved; without a password it can sign in with a token only.

    Args:
        password_hash: of the password, if it is known already; to hash one takes long.

    Raises:
        ValidationError: keyed by field (username taken, weak password, no organisation).
    """
    user = User(username=username, organization=organization, role=role, is_superuser=is_superuser)
    user.password = password_hash or make_password(password)
    errors: dict[str, list[ValidationError]] = {}
    try:
        user.full_clean(exclude=["name_key"])
    except ValidationError as error:
        errors |= error.error_dict
    try:
        if password is not None:
            check_password(password, user)
    except ValidationError as error:
        errors |= error.error_dict
    if errors:
        raise ValidationError(errors)
    return user


def create_user(
    username: str,
    *,
    organization: Organization | None,
    role: str = Role.MEMBER,
    password: str | None = None,
    password_hash: str = "",
    is_superuser: bool = False,
) -> User:
    """Create and return a user; see `check_user`.

    Raises:
        ValidationError: see `check_user`.
    """
    user = check_user(
        username,
        organization=organization,
        role=role,
        password=password,
        password_hash=password_hash,
        is_superuser=is_superuser,
    )
    with transaction.atomic():
        insert(user)
        log_user_event(Action.CREATED, user, f"role: {user.role}")
    return user


def check_role(user: User, role: str, actor: User, *, lock: bool = False) -> None:
    """Return nothing if the user may get this role.

    Raises:
        ValidationError: the actor is the user, or the organisation would have no admin.
    """
    if role != user.role:
        check_may_lose_rights(user, actor, lock=lock)
        changed = copy(user)
        changed.role = role
        changed.full_clean(exclude=["password"])


@transaction.atomic
def change_role(user: User, role: str, actor: User) -> None:
    """Give a user another role.

    Raises:
        ValidationError: see `check_role`.
    """
    # Of two changes at once, the second waits, and the old role that it logs is the first's.
    user.role = _user_and_admins(user, lock=True).get(user.pk, user).role
    check_role(user, role, actor, lock=True)
    if role != user.role:
        before, user.role = user.role, role
        user.save(update_fields=["role"])
        log_user_change(user, f"role: {role}, before: {before}", actor)


@transaction.atomic
def set_active(user: User, active: bool, actor: User) -> None:
    """Activate or deactivate a user, who then cannot sign in; its assets stay.

    Raises:
        ValidationError: see `check_may_lose_rights`.
    """
    if not active:
        check_may_lose_rights(user, actor, lock=True)
    user.is_active = active
    user.save(update_fields=["is_active"])
    log_user_change(user, "activated" if active else "deactivated", actor)


@transaction.atomic
def delete_user(user: User, actor: User) -> None:
    """Delete a user and its tokens; its assets stay, and events keep its name.

    Raises:
        ValidationError: see `check_may_lose_rights`.
    """
    check_may_lose_rights(user, actor, lock=True)
    log_user_event(Action.REMOVED, user, actor=actor)
    user.delete()


def check_may_lose_rights(user: User, actor: User, *, lock: bool = False) -> None:
    """Return nothing if the actor may demote, deactivate or delete the user.

    Args:
        lock: lock the organisation's admins, so that two cannot demote each other at once.

    Raises:
        ValidationError: the actor is the user, or the organisation would have no admin.
    """
    check_not_oneself(actor, user)
    if is_admin(user):
        check_admin_remains(len(_user_and_admins(user, lock=lock).keys() - {user.pk}))


def _user_and_admins(user: User, *, lock: bool) -> dict[int, User]:
    """Return the user and its organisation's admins by primary key."""
    admins = Q(organization_id=user.organization_id, role=Role.ADMIN, is_active=True)
    rows = User.objects.filter(admins | Q(pk=user.pk))
    if lock:
        # All transactions lock in the same order, so that none deadlocks.
        rows = rows.select_for_update()
    return {row.pk: row for row in rows.order_by("pk")}


def save_preference(user: User, name: str, value: object) -> None:
    """Save a preference of a user, such as the columns of a list; it is not an event."""
    user.preferences = {**user.preferences, name: value}
    user.save(update_fields=["preferences"])
