"""The only writer of failed sign-ins: counts them, locks names and addresses, and logs both.

Requests at the same time are limited as if they came one by one: each is answered by what the
count is when its turn comes, even if its password is right.

All transactions lock rows in the same order, so that none deadlocks: failed sign-ins by address
and name, then the user, then the rows of its second factor.
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

# The name of an address's row, which counts the failures of all names.
ALL_NAMES = ""


def check_may_attempt(username: str, address: str) -> None:
    """Return nothing if the next attempt may come now; only reads.

    Raises:
        TooManyAttempts: the name from this address, or the address, must wait.
    """
    _check(_rows_of(attempted_name(username), address))


def lock_failures(username: str, address: str) -> Mapping[str, FailedSignIn]:
    """Return the rows of an address and of a name from it, by name, locked.

    Raises:
        TooManyAttempts: the name from this address, or the address, must wait.
    """
    name = attempted_name(username)
    FailedSignIn.objects.bulk_create(
        [FailedSignIn(address=address, username=each) for each in sorted({ALL_NAMES, name})],
        # The update changes nothing; it locks the rows that exist.
        update_conflicts=True,
        unique_fields=["address", "username"],
        update_fields=["address"],
    )
    rows, now = {row.username: row for row in _rows_of(name, address)}, timezone.now()
    _check(rows.values())
    for row in rows.values():
        if _has_expired(row, now):
            row.failures = 0
    return rows


@transaction.atomic
def count_failure(username: str, address: str) -> None:
    """Count a failed attempt.

    The audit trail gets a user's first failure from an address, and the one that locks it. All
    names that no user has count as one there, so that guessing names does not fill it.

    Raises:
        TooManyAttempts: other attempts failed meanwhile; this one is not counted.
    """
    rows, now = lock_failures(username, address), timezone.now()
    for row in rows.values():
        row.failures += 1
        row.last_at = now
    _log(username, rows, now)
    for row in rows.values():
        row.save()
    _delete_expired(now)


@transaction.atomic
def log_refused_sign_in(username: str, address: str) -> None:
    """Log that a sign-in with the provider was refused: not counted, and once per cool-off."""
    try:
        rows = lock_failures(username, address)
    except TooManyAttempts:
        return
    _log(username, rows, timezone.now())
    for row in rows.values():
        row.save()


def clear_failures(username: str, address: str) -> None:
    """Delete the failures of a name from an address, after it signed in."""
    name = attempted_name(username)
    # Nearly always there are none: then nothing is locked.
    if not FailedSignIn.objects.filter(address=address, username=name).exists():
        return
    with transaction.atomic():
        rows = {row.username: row for row in _locked(_rows_of(name, address))}
        if (own := rows.get(name)) is None:
            return
        if row := rows.get(ALL_NAMES):
            row.failures = max(row.failures - own.failures, 0)
            row.save(update_fields=["failures"])
        own.delete()
        if own.failures > 1 and not _has_expired(own, timezone.now()):
            changed = f"{own.failures} attempts failed before this one"
            _log_failure(username, find_user(username), changed)


@transaction.atomic
def unlock(*, username: str = "", address: str = "") -> int:
    """Delete the failures of a name, an address or a name from it; return how many rows."""
    rows = FailedSignIn.objects.all()
    if username:
        rows = rows.filter(username=attempted_name(username))
    if address:
        rows = rows.filter(address=address)
    keys = [row.pk for row in _locked(rows)]
    return FailedSignIn.objects.filter(pk__in=keys).delete()[0]


def unlock_as_operator(*, username: str = "", address: str = "") -> int:
    """`unlock` for the operator of the server; admins of the named user see the event."""
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
    """Let a user try to sign in again at once, from every address."""
    unlock(username=user.username)
    log_user_change(user, "may try to sign in again", actor)


def _rows_of(name: str, address: str) -> QuerySet[FailedSignIn]:
    return FailedSignIn.objects.filter(address=address, username__in={ALL_NAMES, name})


def _locked(rows: QuerySet[FailedSignIn]) -> QuerySet[FailedSignIn]:
    return rows.order_by("address", "username").select_for_update()


def _limit_of(row: FailedSignIn) -> int:
    if row.username == ALL_NAMES:
        return settings.LOGIN_FAILURES_PER_ADDRESS
    return settings.LOGIN_FAILURES_PER_USER


def _check(rows: Iterable[FailedSignIn]) -> None:
    now = timezone.now()
    waits = [wait_until_free(row.failures, row.last_at, _limit_of(row), now) for row in rows]
    if wait := max(filter(None, waits), default=None):
        raise TooManyAttempts(wait)


def _has_expired(row: FailedSignIn, now: datetime) -> bool:
    """Return whether the last failure is so old that the next one counts as the first."""
    return row.last_at <= now - settings.LOGIN_COOLOFF


def _log(username: str, rows: Mapping[str, FailedSignIn], now: datetime) -> None:
    """Log a failure, unless one was logged in the same cool-off and this one locks nothing."""
    user = find_user(username)
    own = rows[attempted_name(username) if user else ALL_NAMES]
    locked = [
        row for row in dict.fromkeys([own, rows[ALL_NAMES]]) if row.failures >= _limit_of(row)
    ]
    for row in locked:
        name = username if row.username else ""
        _log_failure(name, user, f"locked after {row.failures} failed attempts")
    logged = own.recorded_at
    if own not in locked and (logged is None or logged <= now - settings.LOGIN_COOLOFF):
        _log_failure(username, user)
    own.recorded_at = now


def _log_failure(name: str, user: User | None, changed: str = "") -> None:
    log_event(
        Action.SIGNED_IN,
        SubjectKind.USER,
        name=user.username if user and name else name.replace("\0", " "),
        # Only superusers audit addresses, and names that no user has.
        organization_id=user.organization_id if user and name else None,
        result=Result.REFUSED,
        detail={"changed": changed} if changed else {},
    )


def _delete_expired(now: datetime) -> None:
    """Delete up to 100 expired rows, except those that other attempts have locked."""
    old = FailedSignIn.objects.filter(last_at__lte=now - settings.LOGIN_COOLOFF)
    unlocked = old.order_by("last_at").select_for_update(skip_locked=True)
    keys = list(unlocked.values_list("pk", flat=True)[:100])
    FailedSignIn.objects.filter(pk__in=keys).delete()
