"""What pages ask about locks, second factors, and people who await approval."""

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..organizations.models import User
from ..organizations.rules import manages_all, may_manage_users
from .models import ExternalIdentity, FailedSignIn
from .rules import attempted_name


def locks_of(user: User) -> QuerySet[FailedSignIn]:
    """Return the locks that keep this user's name out, each from one address."""
    return FailedSignIn.objects.filter(
        username=attempted_name(user.username),
        failures__gte=settings.LOGIN_FAILURES_PER_USER,
        last_at__gt=timezone.now() - settings.LOGIN_COOLOFF,
    )


def awaiting(actor: User) -> QuerySet[ExternalIdentity]:
    """Return who awaits approval by `actor`: those of its organisation, and those of none yet."""
    people = ExternalIdentity.objects.filter(user=None)
    if manages_all(actor):
        return people
    if may_manage_users(actor, actor.organization_id):
        return people.filter(Q(organization=None) | Q(organization_id=actor.organization_id))
    return people.none()
