"""Renewals: a runner says that it is still at work, and learns what it must stop."""

from collections.abc import Collection
from functools import reduce
from operator import or_
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from ...accounts.models import Runner
from ..models import Job
from .kinds import KINDS
from .leases import ENDED, Outcome, lease

UNKNOWN = "This runner has no such job. Stop it."
CANCELLED = "It was cancelled. Stop it, and report nothing."


def _runs() -> Q:
    """Return the condition of jobs whose subject has neither ended nor been cancelled."""
    return reduce(or_, (Q(**work.running) for work in KINDS))


def renew(runner: Runner, keys: Collection[UUID]) -> dict[UUID, str]:
    """Renew leases; return why the others of these jobs must stop, by key.

    One statement if all go on.
    """
    wanted, now = set(keys), timezone.now()
    mine = Job.objects.filter(pk__in=wanted, runner=runner)
    live = mine.filter(_runs(), ended_at=None)
    if live.update(expires_at=now + lease()) == len(wanted):
        return {}
    renewed = set(live.values_list("pk", flat=True))
    cancelled = mine.filter(ended_at=None).exclude(pk__in=renewed)
    cancelled.update(ended_at=now, outcome=Outcome.STOPPED)
    outcomes = dict(mine.exclude(pk__in=renewed).values_list("pk", "outcome"))
    return {key: _why_stop(outcomes.get(key)) for key in wanted - renewed}


def _why_stop(outcome: str | None) -> str:
    if outcome is None:
        return UNKNOWN
    return CANCELLED if outcome == Outcome.STOPPED else ENDED[Outcome(outcome)]


def stop_expired(organization_id: str) -> None:
    """End the jobs of an organisation whose lease ran out after their work was cancelled."""
    now = timezone.now()
    expired = Job.objects.filter(
        runner__organization=organization_id, ended_at=None, expires_at__lte=now
    )
    if keys := list(expired.exclude(_runs()).values_list("pk", flat=True)):
        Job.objects.filter(pk__in=keys, ended_at=None).update(ended_at=now, outcome=Outcome.STOPPED)
