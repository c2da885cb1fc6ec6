"""Leases: a job is its runner's until it ends, or until it expires and another attempt begins."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import connection
from django.utils import timezone

from ...accounts.models import Runner
from ...common.db import bulk
from ...common.errors import Code, refuse
from ...common.parsing import as_key
from ..models import SUBJECTS, Job

Outcome = Job.Outcome
# Why a job that has ended takes no report, by its outcome.
ENDED = {
    Outcome.DONE: "It is done already. Claim another job.",
    Outcome.FAILED: "It has failed already. Claim another job.",
    Outcome.GIVEN_BACK: "You gave it back. Claim another job.",
    Outcome.LOST: "Its lease ran out, so that others may run it. Claim another job, and renew it.",
    Outcome.STOPPED: "Its work was cancelled. Claim another job.",
}


def lease() -> timedelta:
    """Return how long a job stays its runner's after each renewal."""
    return timedelta(seconds=settings.RUNNER_LEASE_SECONDS)


def begin_jobs(
    runner: Runner, subject: str, losses: Mapping[UUID, int], now: datetime
) -> list[Job]:
    """Return new jobs, without those whose subject another runner has just taken.

    Args:
        subject: the column of `Job` that names what they are about.
        losses: how many attempts before were lost, by the keys of the subjects.
    """
    same = {
        "runner_id": runner.pk,
        "claimed_at": now,
        "expires_at": now + lease(),
        "ended_at": None,
        "outcome": "",
    }
    about = f"{subject}_id"
    rows = {uuid4(): {about: key, "losses": lost} for key, lost in losses.items()}
    begun = bulk.insert(
        Job,
        [{"key": key, **row} for key, row in rows.items()],
        same=same,
        ignore_conflicts=True,
        returning=["key"],
    )
    # SQLite returns texts.
    keys = {key if isinstance(key, UUID) else UUID(key) for (key,) in begun}
    return [Job(key=key, **row, **same) for key, row in rows.items() if key in keys]


def end(key: UUID, outcome: Job.Outcome, **conditions: Any) -> bool:
    """End a job that is open; return False if it has ended, or does not meet the conditions.

    Until the transaction ends, no one else can report on the job.
    """
    found = Job.objects.filter(pk=key, ended_at=None, **conditions)
    return bool(found.update(ended_at=timezone.now(), outcome=outcome))


def end_of(runner: Runner, key: UUID, outcome: Job.Outcome) -> Job | None:
    """End an open job of a runner and return it; None if the runner has none with this key.

    One statement. Until the transaction ends, no one else can report on the job.
    """
    for row in bulk.run(
        _end_and_return(), [timezone.now(), outcome, _stored(key), _stored(runner.pk)]
    ):
        about = dict(zip(_ABOUT, (value and as_key(str(value)) for value in row), strict=True))
        return Job(key=key, runner=runner, outcome=outcome, **about)
    return None


# The columns that say what a job is about.
_ABOUT = tuple(f"{subject}_id" for subject in SUBJECTS)


@cache
def _end_and_return() -> str:
    return (
        f"UPDATE {Job._meta.db_table} SET ended_at = %s, outcome = %s "  # noqa: S608
        f"WHERE key = %s AND runner_id = %s AND ended_at IS NULL RETURNING {', '.join(_ABOUT)}"
    )


def _stored(value: Any) -> Any:
    return Job._meta.pk.get_db_prep_value(value, connection)


def end_once(job: Job, outcome: Job.Outcome) -> bool:
    """End a job; return False if it has ended with this outcome, since its report came before.

    Raises:
        Refused: it has ended with another outcome.
    """
    if end(job.pk, outcome):
        return True
    job.refresh_from_db(fields=["outcome"])
    if job.outcome == outcome:
        return False
    raise has_ended(job)


def hold(key: UUID) -> None:
    """Keep a job open until the transaction ends.

    Raises:
        Refused: it has ended.
    """
    job = Job.objects.select_for_update().get(pk=key)
    if job.ended_at is not None:
        raise has_ended(job)


def has_ended(job: Job) -> Exception:
    """Return the refusal of a report on a job that has ended, for the caller to raise."""
    message = f'Job "{job.pk}" takes no report. {ENDED[Outcome(job.outcome)]}'
    return refuse(Code.CONFLICT, message, key=str(job.pk))
