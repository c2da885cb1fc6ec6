"""Which rows may an organisation use? The same answer as `Permissions.allows`, for whole lists."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from ..accounts.models import Organization
from ..common.db.compiled import stored_json
from .models import Permissions


def permission_columns(field: str) -> tuple[Any, Any]:
    """The two columns that a response needs of the permissions that `field` points to."""
    return f"{field}__public", stored_json(f"{field}__authorized_ids")


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


def access_matrix(
    owner_id: str, uses: Sequence[tuple[str, Permissions]]
) -> list[tuple[Organization, bool, list[bool]]]:
    """Return (organisation, is it the owner, may it for each use) of every organisation.

    The owner comes first; one query.
    """
    rows = [
        (
            organization,
            organization.pk == owner_id,
            [permissions.allows(organization.pk) for _, permissions in uses],
        )
        for organization in Organization.objects.all()
    ]
    return sorted(rows, key=lambda row: not row[1])
