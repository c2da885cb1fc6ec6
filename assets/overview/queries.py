"""What home asks: what needs somebody."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..accounts.models import ApiToken, User
from ..accounts.rules import EXPIRES_SOON
from ..common.db.lookups import OrderKey
from ..compute.models import ComputePlan
from ..compute.statuses import PlanStatus
from ..datasets.models import DataSampleLink, Dataset
from ..functions.models import Function, FunctionStatus

# How long a failure, which nobody can take back, is told.
FAILURES_STAY = timedelta(days=30)
# Of how many datasets, the latest, home looks for those without samples.
LOOKED_AT = 500


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
    """The organisation's datasets of late that no task can work on yet."""
    own = Dataset.objects.filter(owner=organization_id).order_by("-creation_date", "-pk")
    links = DataSampleLink.objects.filter(dataset=OuterRef("pk"))
    late = Dataset.objects.filter(~Exists(links), pk__in=own.values("pk")[:LOOKED_AT])
    return late.order_by("-creation_date", "-pk")


def tokens_to_renew(user: Any, now: datetime) -> QuerySet[ApiToken]:
    """The tokens that the user made on purpose and that expire soon or have expired."""
    named = user.api_tokens.filter(kind=ApiToken.Kind.NAMED)
    return named.filter(expires_at__lte=now + EXPIRES_SOON).order_by("expires_at", "pk")


def users_without_way_in(organization_id: str) -> QuerySet[User]:
    """The organisation's users who have neither a password nor a token."""
    users = User.objects.filter(organization=organization_id, is_active=True, api_tokens=None)
    return users.filter(password__startswith=UNUSABLE_PASSWORD_PREFIX).order_by(
        OrderKey("username")
    )
