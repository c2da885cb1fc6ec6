"""Claims: a runner asks for work, and gets what was abandoned before what waits."""

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from ...accounts.models import Organization, Runner
from ...common.db.compiled import Compiled
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
SEEN_EVERY = timedelta(seconds=2)


def claim(runner: Runner, limit: int, *, looks_back: bool) -> list[Job]:
    """Return at most `limit` new jobs of the runner, each with a lease.

    Any number of runners may claim at once: each job is one runner's.

    Args:
        looks_back: whether work that was given back comes before what waits. Otherwise it comes
            when nothing waits: looking for it takes longer.
    """
    own = [runner.organization_id]
    kinds = [work for work in KINDS if runner.has_data_root or not work.needs_data_root]
    begun: list[Job] = []

    def begin(how: Callable[[Work, Runner, int], list[Job]], flags: Iterable[bool]) -> None:
        for work, is_there in zip(KINDS, flags, strict=True):
            if is_there and work in kinds and len(begun) < limit:
                begun.extend(how(work, runner, limit - len(begun)))

    has_expired, *waits = _what_waits(own)[0]
    if has_expired or looks_back:
        begin(_begin_again, _what_is_abandoned(own)[0])
    begin(_begin, waits)
    if not (begun or has_expired or looks_back):
        begin(_begin_again, _what_is_abandoned(own)[0])
    return begun


@Compiled
def _what_waits(organizations: Collection[str]) -> QuerySet:
    """Whether jobs of an organisation have expired, and whether work of each kind waits."""
    own = OuterRef("pk")
    expired = Job.objects.filter(runner__organization=own, ended_at=None, expires_at__lte=Now())
    flags = (Exists(expired), *(Exists(work.waiting(own)) for work in KINDS))
    return Organization.objects.filter(pk__only=organizations).order_by().values_list(*flags)


@Compiled
def _what_is_abandoned(organizations: Collection[str]) -> QuerySet:
    """Whether there is work of each kind that no runner of an organisation works on any more."""
    flags = (Exists(work.abandoned(OuterRef("pk"), Now())) for work in KINDS)
    return Organization.objects.filter(pk__only=organizations).order_by().values_list(*flags)


def _begin(work: Work, runner: Runner, limit: int) -> list[Job]:
    return work.begin(runner, limit)


def _begin_again(work: Work, runner: Runner, limit: int) -> list[Job]:
    """Return new jobs at work that was given back, or whose lease ran out."""
    abandoned = work.abandoned(runner.organization_id, timezone.now())
    if not (keys := list(work.for_runner(abandoned, runner)[:limit])):
        return []
    before = Job.objects.filter(**{f"{work.subject}__in": keys}).select_related("runner")
    # The last one of each stays.
    last = {work.key_of(job): job for job in before.order_by("claimed_at")}
    begun: list[Job] = []
    for key in keys:
        begun += _follow(last.get(key), work, key, runner)
    return begun


def _follow(before: Job | None, work: Work, key: UUID, runner: Runner) -> list[Job]:
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


def note(runner: Runner, *, version: str, engine: str) -> bool:
    """Write that a runner asks for work, and what it is; return False if that is known already."""
    now = timezone.now()
    seen_at = runner.last_seen
    is_recent = seen_at is not None and now - seen_at < SEEN_EVERY
    if is_recent and (runner.version, runner.engine) == (version, engine):
        return False
    Runner.objects.filter(pk=runner.pk).update(last_seen=now, version=version, engine=engine)
    stop_expired(runner.organization_id)
    return True
