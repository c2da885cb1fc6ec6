"""Runners of an organisation as pages show them: when they were seen, and what they run."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from ...accounts.models import Runner
from ..models import Job

# A runner asks for work more often than this, unless all its hands are busy.
SEEN_WITHIN = timedelta(minutes=2)
# What jobs are about, for pages that name it.
_SUBJECTS = ("task__function", "function", "trial__function", "data_sample")


def runners_of(organization_id: str | None) -> QuerySet[Runner]:
    """Return the runners of an organisation that are not revoked, by name."""
    return Runner.objects.filter(organization=organization_id, revoked_at=None).order_by("name")


def revoked_runners_of(organization_id: str | None) -> QuerySet[Runner]:
    """Return the revoked runners of an organisation, the latest first."""
    revoked = Runner.objects.filter(organization=organization_id, revoked_at__isnull=False)
    return revoked.order_by("-revoked_at", "pk")


def is_seen(runner: Runner, now: datetime | None = None) -> bool:
    """Return whether the runner has asked for work a moment ago."""
    return bool(runner.last_seen and (now or timezone.now()) - runner.last_seen <= SEEN_WITHIN)


def jobs_now(runners: Collection[UUID]) -> QuerySet[Job]:
    """Return what these runners run now, as far as their leases say, the longest first."""
    jobs = Job.objects.filter(runner__in=runners, ended_at=None, expires_at__gt=Now())
    return jobs.select_related(*_SUBJECTS).order_by("claimed_at", "pk")


def jobs_lately(runner: Runner) -> QuerySet[Job]:
    """Return what a runner has run, the latest first."""
    jobs = Job.objects.filter(runner=runner, ended_at__isnull=False)
    return jobs.select_related(*_SUBJECTS).order_by("-claimed_at", "pk")
