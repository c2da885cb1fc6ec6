"""What runners report on their jobs. A report that is sent again changes nothing."""

from collections.abc import Mapping
from uuid import UUID

from django.db import transaction

from ...accounts.models import Runner
from ..models import Job
from .arrivals import discard
from .kinds import work_of
from .leases import Outcome, end_of, end_once, has_ended
from .work import Failure, Report


class Repeated(Exception):
    """The same report came before, at the same time."""


def finish(runner: Runner, key: UUID, report: Report) -> bool:
    """End an open job of a runner as done, with what it made; return False if it has no such job.

    Raises:
        Refused: the report is not complete.
    """
    with transaction.atomic():
        job = end_of(runner, key, Outcome.DONE)
        if job is None:
            return False
        work = work_of(job)
        if report.steps:
            work.report_steps(job, report.steps)
        work.finish(job, report)
    discard(key)
    return True


def fail(job: Job, failure: Failure) -> None:
    """End a job as failed.

    Raises:
        Refused: the job has ended otherwise, or the report is not complete.
    """
    if job.outcome == Outcome.FAILED:
        return

    work = work_of(job)

    def begin() -> None:
        if not end_once(job, Outcome.FAILED):
            raise Repeated
        if failure.steps:
            work.report_steps(job, failure.steps)

    try:
        work.fail(job, failure, begin)
    except Repeated:
        return
    discard(job.pk)


def give_back(job: Job) -> None:
    """End a job as if it had never been claimed: another runner can take its work at once.

    Raises:
        Refused: the job has ended otherwise.
    """
    end_once(job, Outcome.GIVEN_BACK)
    discard(job.pk)


def report_steps(job: Job, steps: Mapping[str, int]) -> None:
    """Write how long the steps of a job took; the last value of each stands.

    Raises:
        Refused: the job has ended, or there is no such step.
    """
    if job.ended_at is not None:
        raise has_ended(job)
    work_of(job).report_steps(job, steps)
