"""Which permissions allow an organisation: `Permissions.allows` for whole lists."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Q, QuerySet

from ..accounts.models import Organization
from ..accounts.queries import all_organizations
from ..common.db.compiled import stored_json
from .models import Permissions


def permission_columns(field: str) -> tuple[Any, Any]:
    """Return the columns that a response needs of the permissions to which `field` refers."""
    return f"{field}__public", stored_json(f"{field}__authorized_ids")


def allowing_all(organization_ids: Iterable[str]) -> QuerySet[Permissions]:
    """Return permissions that are public or name all of the organisations."""
    wanted = set(organization_ids)
    named = Permissions.objects.filter(organizations__in=wanted)
    named = named.annotate(found=Count("organizations", distinct=True)).filter(found=len(wanted))
    return Permissions.objects.filter(Q(public=True) | Q(pk__in=named.values("pk")))


def allowing_any(organization_ids: Iterable[str]) -> QuerySet[Permissions]:
    """Return permissions that are public or name one of the organisations."""
    named = Permissions.objects.filter(organizations__in=set(organization_ids))
    return Permissions.objects.filter(Q(public=True) | Q(pk__in=named.values("pk")))


def access_matrix(
    owner_id: str, uses: Sequence[tuple[str, Permissions]]
) -> list[tuple[Organization, bool, list[bool]]]:
    """Return (organisation, is owner, may do each use) of every organisation, the owner first."""
    rows = [
        (
            organization,
            organization.pk == owner_id,
            [permissions.allows(organization.pk) for _, permissions in uses],
        )
        for organization in all_organizations()
    ]
    return sorted(rows, key=lambda row: not row[1])
