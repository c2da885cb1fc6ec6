"""The only writer of organisations."""

from django.db import transaction

from ...common.audit import Action, log_event
from ...common.kinds import AssetKind
from ..models import Organization
from .rows import insert


def check_organization(id: str, *, name: str = "") -> Organization:
    """Return the organisation, not yet saved.

    Raises:
        ValidationError: keyed by field (invalid id, name or id taken).
    """
    organization = Organization(id=id, name=name)
    organization.full_clean(exclude=["id_key", "name_key"])
    return organization


def create_organization(id: str, *, name: str = "") -> Organization:
    """Create and return an organisation.

    Raises:
        ValidationError: see `check_organization`.
    """
    organization = check_organization(id, name=name)
    with transaction.atomic():
        insert(organization)
        kind, id = AssetKind.ORGANIZATION, organization.id
        log_event(Action.CREATED, kind, name=id, organization_id=id)
    return organization
