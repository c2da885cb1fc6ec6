"""The only writer of users."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from ...common.audit import Action
from ..models import Organization, Role, User
from ..rules import check_admin_remains, check_not_oneself, is_admin
from .events import log_user_change, log_user_event
from .passwords import check_password
from .rows import insert


def create_user(
    username: str,
    *,
    organization: Organization | None,
    role: str = Role.MEMBER,
    password: str | None = None,
    is_superuser: bool = False,
) -> User:
    """Create a user; without a password it can sign in by token only.

    Raises:
        ValidationError: keyed by field (username taken, weak password, no organisation).
    """
    user = User(username=username, organization=organization, role=role, is_superuser=is_superuser)
    if password is None:
        user.set_unusable_password()
    else:
        # Checked below with the rest, so that all that is wrong is told at once.
        user.set_password(password)
    errors: dict[str, list[ValidationError]] = {}
    checks: list[Callable[[], None]] = [
        lambda: user.full_clean(exclude=["name_key"]),
        lambda: check_password(password, user),
    ]
    for check in checks:
        try:
            check()
        except ValidationError as error:
            errors |= error.error_dict
    if errors:
        raise ValidationError(errors)
    with transaction.atomic():
        insert(user)
        log_user_event(Action.CREATED, user, {"changed": f"role: {user.role}"})
    return user


@transaction.atomic
def change_role(user: User, role: str, actor: User) -> None:
    """Give a user another role; raise ValidationError when that would leave no admin."""
    # Of two at once, the second waits, and the role before its own is the first's.
    user.role = _held(user).get(user.pk, user).role
    if role != user.role:
        _check_may_lose(user, actor)
        before, user.role = user.role, role
        user.full_clean(exclude=["password"])
        user.save(update_fields=["role"])
        log_user_change(user, f"role: {role}, before: {before}", actor)


@transaction.atomic
def set_active(user: User, active: bool, actor: User) -> None:
    """Let a user sign in, or keep it out; what it registered stays."""
    if not active:
        _check_may_lose(user, actor)
    user.is_active = active
    user.save(update_fields=["is_active"])
    log_user_change(user, "activated" if active else "deactivated", actor)


@transaction.atomic
def delete_user(user: User, actor: User) -> None:
    """Delete a user and its tokens; what it registered stays, and events keep its name."""
    _check_may_lose(user, actor)
    log_user_event(Action.REMOVED, user, actor=actor)
    user.delete()


def _check_may_lose(user: User, actor: User) -> None:
    check_not_oneself(actor, user)
    if is_admin(user):
        others = [row for pk, row in _held(user).items() if pk != user.pk]
        check_admin_remains(len(others))


def _held(user: User) -> dict[int, User]:
    """Return the user and the admins of its organisation, held until the transaction ends.

    Two admins cannot demote each other at once. All in one order, or else they would deadlock.
    """
    admins = Q(organization_id=user.organization_id, role=Role.ADMIN, is_active=True)
    rows = User.objects.select_for_update().filter(admins | Q(pk=user.pk)).order_by("pk")
    return {row.pk: row for row in rows}


def remember(user: User, name: str, value: object) -> None:
    """Remember how the user likes a page; a preference is the user's own and no event."""
    user.preferences = {**user.preferences, name: value}
    user.save(update_fields=["preferences"])
