"""What runners report on their jobs. A report that is sent again changes nothing."""

from collections.abc import Mapping

from django.db import transaction

from ..models import Job
from .arrivals import discard
from .kinds import work_of
from .leases import Outcome, end_once, has_ended
from .work import Failure, Report


class Repeated(Exception):
    """The same report came before, at the same time."""


def finish(job: Job, report: Report) -> None:
    """End a job as done, with what it made.

    Raises:
        Refused: the job has ended otherwise, or the report is not complete.
    """
    with transaction.atomic():
        if end_once(job, Outcome.DONE):
            work_of(job).finish(job, report)
    discard(job.pk)


def fail(job: Job, failure: Failure) -> None:
    """End a job as failed.

    Raises:
        Refused: the job has ended otherwise, or the report is not complete.
    """
    if job.outcome == Outcome.FAILED:
        return

    def begin() -> None:
        if not end_once(job, Outcome.FAILED):
            raise Repeated

    try:
        work_of(job).fail(job, failure, begin)
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
