"""Which rows may an organisation use? The same answer as `Permissions.allows`, for whole lists."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from .models import Permissions


def allowing_all(organization_ids: Iterable[str]) -> QuerySet[Permissions]:
    """Permissions that are public or that name every one of the organisations."""
    wanted = set(organization_ids)
    named = Permissions.objects.filter(organizations__in=wanted)
    named = named.annotate(found=Count("organizations", distinct=True)).filter(found=len(wanted))
    return Permissions.objects.filter(Q(public=True) | Q(pk__in=named.values("pk")))


def allowing_any(organization_ids: Iterable[str]) -> QuerySet[Permissions]:
    """Permissions that are public or that name at least one of the organisations."""
    named = Permissions.objects.filter(organizations__in=set(organization_ids))
    return Permissions.objects.filter(Q(public=True) | Q(pk__in=named.values("pk")))
