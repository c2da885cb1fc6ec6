"""Queries of what needs attention, for the home page."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..accounts.models import ApiToken, User
from ..accounts.rules import EXPIRES_SOON
from ..common.db.compiled import Instances
from ..common.db.lookups import OrderKey
from ..compute.models import ComputePlan
from ..compute.statuses import PlanStatus
from ..datasets.models import DataSampleLink, Dataset
from ..functions.models import Function, FunctionStatus

# Failures cannot be undone, so home shows them for this long only.
FAILURES_SHOWN_FOR = timedelta(days=30)
# How many of the latest datasets home searches for those without samples.
MAX_DATASETS_SEARCHED = 500


def failed_plans(organization_id: str, now: datetime) -> QuerySet[ComputePlan]:
    """Return the organisation's plans that failed in the last 30 days, the newest first."""
    recent = Q(end_date__gte=now - FAILURES_SHOWN_FOR) | Q(
        end_date=None, creation_date__gte=now - FAILURES_SHOWN_FOR
    )
    plans = ComputePlan.objects.filter(recent, owner=organization_id, status=PlanStatus.FAILED)
    return plans.order_by("-creation_date", "-pk")


def failed_functions(organization_id: str, now: datetime) -> QuerySet[Function]:
    """Return the organisation's recent functions whose image could not be built, newest first."""
    functions = Function.objects.filter(owner=organization_id, status=FunctionStatus.FAILED)
    recent = functions.filter(creation_date__gte=now - FAILURES_SHOWN_FOR)
    return recent.order_by("-creation_date", "-pk")


@Instances
def datasets_without_samples(organization_ids: Collection[str]) -> QuerySet[Dataset]:
    """Return an organisation's recent datasets without data samples, the newest first."""
    own = Dataset.objects.filter(owner_id__only=organization_ids)
    own = own.order_by("-creation_date", "-pk")
    links = DataSampleLink.objects.filter(dataset=OuterRef("pk"))
    empty = Dataset.objects.filter(~Exists(links), pk__in=own.values("pk")[:MAX_DATASETS_SEARCHED])
    return empty.order_by("-creation_date", "-pk")


def tokens_to_renew(user: Any, now: datetime) -> QuerySet[ApiToken]:
    """Return the user's named tokens that expire soon or have expired."""
    named = user.api_tokens.filter(kind=ApiToken.Kind.NAMED)
    return named.filter(expires_at__lte=now + EXPIRES_SOON).order_by("expires_at", "pk")


def users_who_cannot_sign_in(organization_id: str) -> QuerySet[User]:
    """Return the organisation's users who have neither a password nor a token."""
    users = User.objects.filter(organization=organization_id, is_active=True, api_tokens=None)
    return users.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX).order_by(
        OrderKey("username")
    )
