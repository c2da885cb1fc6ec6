"""The only writer of organisations."""

from django.db import transaction

from ...common.audit import Action, log_event
from ...common.kinds import AssetKind
from ..models import Organization
from .rows import insert


def create_organization(id: str, *, name: str = "") -> Organization:
    """Create an organisation; raise ValidationError keyed by field."""
    organization = Organization(id=id, name=name)
    organization.full_clean(exclude=["id_key", "name_key"])
    with transaction.atomic():
        insert(organization)
        kind = AssetKind.ORGANIZATION
        log_event(Action.CREATED, kind, name=organization.id, organization_id=organization.id)
    return organization
