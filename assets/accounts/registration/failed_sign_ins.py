"""The only writer of failed sign-ins: how often signing in may fail, and what is recorded of it.

An attempt counts once it has failed. Many at once are no more than one by one: each is answered
by what the count is when its own turn comes, also if its password was right.

Whoever locks rows does it in one order: failed sign-ins by address and name, then the user, then
the rows of its second factor. So no two requests wait for each other.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ...common.audit import Action, Result, SubjectKind, log_event
from ...common.errors import TooManyAttempts
from ..models import FailedSignIn, User
from ..queries import find_user
from ..rules import attempted_name, wait_until_free
from .events import log_user_change

# The row of an address has no name.
ADDRESS = ""


def check_may_attempt(username: str, address: str) -> None:
    """Return nothing; it only reads.

    Raises:
        TooManyAttempts: the name from this address, or the address, must wait.
    """
    _check(_rows_of(attempted_name(username), address))


def lock_failures(username: str, address: str) -> Mapping[str, FailedSignIn]:
    """Return the failures of an address, and of a name from it, by name.

    They stay as they are until the transaction ends: attempts go one by one.

    Raises:
        TooManyAttempts: the name from this address, or the address, must wait.
    """
    name = attempted_name(username)
    FailedSignIn.objects.bulk_create(
        [FailedSignIn(address=address, username=one) for one in sorted({ADDRESS, name})],
        # It changes nothing, and holds the rows that are there.
        update_conflicts=True,
        unique_fields=["address", "username"],
        update_fields=["address"],
    )
    rows, now = {row.username: row for row in _rows_of(name, address)}, timezone.now()
    _check(rows.values())
    for row in rows.values():
        if _is_over(row, now):
            row.failures = 0
    return rows


@transaction.atomic
def count_failure(username: str, address: str) -> None:
    """Count an attempt that failed.

    The audit trail gets the first failure of a user from an address, and the one that locks it.
    Names that no user has count as one, so that guessing names fills nothing.

    Raises:
        TooManyAttempts: others came first. Not counted.
    """
    rows, now = lock_failures(username, address), timezone.now()
    for row in rows.values():
        row.failures += 1
        row.last_at = now
    _record(username, rows, now)
    for row in rows.values():
        row.save()
    _forget_old_ones(now)


@transaction.atomic
def log_refused_sign_in(username: str, address: str) -> None:
    """Record that a sign-in by the provider was refused: once for a while, and not counted."""
    try:
        rows = lock_failures(username, address)
    except TooManyAttempts:
        return
    _record(username, rows, timezone.now())
    for row in rows.values():
        row.save()


def clear_failures(username: str, address: str) -> None:
    """Forget the failures of a name from an address, since it has signed in."""
    name = attempted_name(username)
    # Nearly always there are none, and nothing is locked.
    if not FailedSignIn.objects.filter(address=address, username=name).exists():
        return
    with transaction.atomic():
        rows = {row.username: row for row in _locked(_rows_of(name, address))}
        if (own := rows.get(name)) is None:
            return
        if ADDRESS in rows:
            row = rows[ADDRESS]
            row.failures = max(row.failures - own.failures, 0)
            row.save(update_fields=["failures"])
        own.delete()
        if own.failures > 1 and not _is_over(own, timezone.now()):
            _log_failure(
                username, find_user(username), f"{own.failures} attempts failed before this one"
            )


@transaction.atomic
def unlock(*, username: str = "", address: str = "") -> int:
    """Forget the failures of a name, of an address, or of a name from an address; return how many
    locks or beginnings of locks there were."""
    rows = FailedSignIn.objects.all()
    if username:
        rows = rows.filter(username=attempted_name(username))
    if address:
        rows = rows.filter(address=address)
    keys = [row.pk for row in _locked(rows)]
    return FailedSignIn.objects.filter(pk__in=keys).delete()[0]


def unlock_as_operator(*, username: str = "", address: str = "") -> int:
    """`unlock` for the operator of the server; admins of the named user see it as an event."""
    user = find_user(username)
    if found := unlock(username=username, address=address):
        where = f" from {address}" if address else ""
        log_event(
            Action.CHANGED,
            SubjectKind.USER,
            name=user.username if user else username,
            organization_id=user.organization_id if user else None,
            detail={"changed": f"may try to sign in again{where}"},
        )
    return found


def unlock_user(user: User, actor: User) -> None:
    """Let a user try again at once, from wherever it failed too often."""
    unlock(username=user.username)
    log_user_change(user, "may try to sign in again", actor)


def _rows_of(name: str, address: str) -> QuerySet[FailedSignIn]:
    return FailedSignIn.objects.filter(address=address, username__in={ADDRESS, name})


def _locked(rows: QuerySet[FailedSignIn]) -> QuerySet[FailedSignIn]:
    return rows.order_by("address", "username").select_for_update()


def _limit_of(row: FailedSignIn) -> int:
    if row.username == ADDRESS:
        return settings.LOGIN_FAILURES_PER_ADDRESS
    return settings.LOGIN_FAILURES_PER_USER


def _check(rows: Iterable[FailedSignIn]) -> None:
    now = timezone.now()
    waits = [wait_until_free(row.failures, row.last_at, _limit_of(row), now) for row in rows]
    if wait := max(filter(None, waits), default=None):
        raise TooManyAttempts(wait)


def _is_over(row: FailedSignIn, now: datetime) -> bool:
    """Did the last failure happen so long ago that the next one is the first again?"""
    return row.last_at <= now - settings.LOGIN_COOLOFF


def _record(username: str, rows: Mapping[str, FailedSignIn], now: datetime) -> None:
    """Write what the audit trail keeps of a failure."""
    user = find_user(username)
    of = rows[attempted_name(username) if user else ADDRESS]
    full = [one for one in dict.fromkeys([of, rows[ADDRESS]]) if one.failures >= _limit_of(one)]
    for row in full:
        _log_failure(
            username if row.username else "", user, f"locked after {row.failures} failed attempts"
        )
    recorded = of.recorded_at
    if of not in full and (recorded is None or recorded <= now - settings.LOGIN_COOLOFF):
        _log_failure(username, user)
    of.recorded_at = now


def _log_failure(name: str, user: User | None, what: str = "") -> None:
    log_event(
        Action.SIGNED_IN,
        SubjectKind.USER,
        name=user.username if user and name else name.replace("\0", " "),
        # No organisation's admins audit an address, or a name that no user has.
        organization_id=user.organization_id if user and name else None,
        result=Result.REFUSED,
        detail={"changed": what} if what else {},
    )


def _forget_old_ones(now: datetime) -> None:
    """Delete what counts no more; what another attempt holds just now stays until the next one."""
    old = FailedSignIn.objects.filter(last_at__lte=now - settings.LOGIN_COOLOFF)
    held = old.order_by("last_at").select_for_update(skip_locked=True)
    keys = list(held.values_list("pk", flat=True)[:100])
    FailedSignIn.objects.filter(pk__in=keys).delete()
