"""Claims: a runner asks for work, and gets what was abandoned before what waits."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ...accounts.models import Runner
from ...common.errors import Refused
from ...compute.statuses import ErrorType
from ..models import Job
from .kinds import KINDS
from .leases import Outcome, begin_jobs, end
from .renewals import stop_expired
from .work import Failure, Work

# How often work is lost before it counts as failed.
MAX_LOSSES = 3
# How exact `last_seen` is: writing it at each request would cost more than the request.
SEEN_EVERY = timedelta(seconds=5)


def claim(runner: Runner, limit: int, *, has_data_root: bool = False) -> list[Job]:
    """Return at most `limit` new jobs of the runner, each with a lease.

    Any number of runners may claim at once: each job is one runner's.
    """
    begun: list[UUID] = []
    kinds = [work for work in KINDS if has_data_root or not work.needs_data_root]
    for begin in (_begin_again, _begin):
        for work in kinds:
            if len(begun) < limit:
                begun += begin(work, runner, limit - len(begun))
    return list(Job.objects.filter(pk__in=begun).order_by("claimed_at", "key")) if begun else []


def _begin(work: Work, runner: Runner, limit: int) -> list[UUID]:
    return work.begin(runner, limit)


def _begin_again(work: Work, runner: Runner, limit: int) -> list[UUID]:
    """Return the keys of new jobs at work that was given back, or whose lease ran out."""
    abandoned = work.abandoned(runner.organization_id, timezone.now())
    if not (keys := list(abandoned[:limit])):
        return []
    before = Job.objects.filter(**{f"{work.subject}__in": keys}).select_related("runner")
    # The last one of each stays.
    last = {work.key_of(job): job for job in before.order_by("claimed_at")}
    begun: list[UUID] = []
    for key in keys:
        begun += _follow(last.get(key), work, key, runner)
    return begun


def _follow(before: Job | None, work: Work, key: UUID, runner: Runner) -> list[UUID]:
    """Begin the next job at some work, or let the work fail if it was lost too often."""
    now = timezone.now()
    if before is None or before.ended_at is not None:
        return begin_jobs(runner, work.subject, {key: before.losses if before else 0}, now)
    losses = before.losses + 1
    if losses >= MAX_LOSSES:
        _give_up(before, work)
        return []
    with transaction.atomic():
        if not end(before.pk, Outcome.LOST, expires_at__lte=now):
            return []
        return begin_jobs(runner, work.subject, {key: losses}, now)


def _give_up(job: Job, work: Work) -> None:
    def begin() -> None:
        if not end(job.pk, Outcome.LOST, expires_at__lte=timezone.now()):
            raise Renewed

    failure = Failure(ErrorType.INTERNAL, logs=None)
    try:
        work.fail(job, failure, begin)
    except (Renewed, Refused):  # its runner is back, or has reported meanwhile
        return


class Renewed(Exception):
    """A job's lease did not run out after all."""


def note(runner: Runner, *, version: str, engine: str) -> None:
    """Write that a runner asks for work, and what it is, if that was not written just now."""
    now = timezone.now()
    seen_at = runner.last_seen
    is_recent = seen_at is not None and now - seen_at < SEEN_EVERY
    if is_recent and (runner.version, runner.engine) == (version, engine):
        return
    Runner.objects.filter(pk=runner.pk).update(last_seen=now, version=version, engine=engine)
    stop_expired(runner.organization_id)
