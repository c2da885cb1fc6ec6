"""Queries about dry runs, which only the organisation that began them sees."""

from django.db.models import QuerySet

from ..models import Trial


def trials_of(organization_id: str | None) -> QuerySet[Trial]:
    """Return the dry runs of an organisation, the newest first."""
    trials = Trial.objects.filter(organization=organization_id or "")
    return trials.select_related("function", "dataset").order_by("-creation_date", "key")
