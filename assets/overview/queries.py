"""What home asks: how much there is, and what needs somebody."""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import CharField, Count, Exists, OuterRef, Q, QuerySet, Sum, Value

from ..compute.models import ComputePlan
from ..compute.statuses import PlanStatus
from ..datasets.models import DataSample, DataSampleLink, Dataset
from ..functions.models import Function, FunctionStatus
from ..organizations.models import ApiToken, User
from ..organizations.rules import EXPIRES_SOON

# How long a failure, which nobody can take back, is told.
FAILURES_STAY = timedelta(days=30)


def counts_by_owner() -> dict[str, dict[str, int]]:
    """Return, by kind, how many assets each organisation owns; one query.

    Plans know how many tasks they have, so that nobody counts the largest table.
    """

    def counted(kind: str, queryset: QuerySet, count: Count | Sum) -> QuerySet:
        by_owner = queryset.order_by().values("owner_id")
        annotated = by_owner.annotate(kind=Value(kind, CharField()), count=count)
        return annotated.values_list("kind", "owner_id", "count")

    parts = [
        counted("datasets", Dataset.objects.all(), Count("pk")),
        counted("data-samples", DataSample.objects.all(), Count("pk")),
        counted("functions", Function.objects.all(), Count("pk")),
        counted("compute-plans", ComputePlan.objects.all(), Count("pk")),
        counted("tasks", ComputePlan.objects.all(), Sum("task_count")),
    ]
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for kind, owner, count in parts[0].union(*parts[1:], all=True):
        counts[kind][owner] = count
    return counts


def failed_plans(organization_id: str, now: datetime) -> QuerySet[ComputePlan]:
    """The organisation's plans that failed lately, the newest first."""
    lately = Q(end_date__gte=now - FAILURES_STAY) | Q(
        end_date=None, creation_date__gte=now - FAILURES_STAY
    )
    plans = ComputePlan.objects.filter(lately, owner=organization_id, status=PlanStatus.FAILED)
    return plans.order_by("-creation_date", "-pk")


def failed_functions(organization_id: str, now: datetime) -> QuerySet[Function]:
    """The organisation's functions of late whose image could not be built."""
    functions = Function.objects.filter(owner=organization_id, status=FunctionStatus.FAILED)
    lately = functions.filter(creation_date__gte=now - FAILURES_STAY)
    return lately.order_by("-creation_date", "-pk")


def datasets_without_samples(organization_id: str) -> QuerySet[Dataset]:
    """The organisation's datasets that no task can work on yet."""
    links = DataSampleLink.objects.filter(dataset=OuterRef("pk"))
    datasets = Dataset.objects.filter(~Exists(links), owner=organization_id)
    return datasets.order_by("-creation_date", "-pk")


def tokens_to_renew(user: Any, now: datetime) -> QuerySet[ApiToken]:
    """The tokens that the user made on purpose and that expire soon or have expired."""
    named = user.api_tokens.filter(kind=ApiToken.Kind.NAMED)
    return named.filter(expires_at__lte=now + EXPIRES_SOON).order_by("expires_at", "pk")


def users_without_way_in(organization_id: str) -> QuerySet[User]:
    """The organisation's users who have neither a password nor a token."""
    users = User.objects.filter(organization=organization_id, is_active=True, api_tokens=None)
    return users.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX).order_by("username")
