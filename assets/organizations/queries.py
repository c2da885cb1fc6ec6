"""What the other rooms ask about organisations."""

from .models import Organization


def organization_ids() -> set[str]:
    """Return the ids of all organisations: one query, as many ids as the consortium has members."""
    return set(Organization.objects.values_list("id", flat=True))
