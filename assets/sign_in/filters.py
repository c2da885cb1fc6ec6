"""Filters of people who await approval. Contract 1.3."""

from django_filters import CharFilter
from django_filters.rest_framework import FilterSet

from .models import ExternalIdentity


class AwaitingFilterSet(FilterSet):
    username = CharFilter()

    class Meta:
        model = ExternalIdentity
        fields: list[str] = []
