"""Filters of users. Contract 1.3."""

from django.db.models import QuerySet
from django_filters import ChoiceFilter
from django_filters.rest_framework import FilterSet

from ..common.filters import MatchFilter
from .models import User
from .serializers import ROLE_OF_WIRE


class UserFilterSet(FilterSet):
    match = MatchFilter("username")
    role = ChoiceFilter(choices=[(wire, wire) for wire in ROLE_OF_WIRE], method="with_role")

    def with_role(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(role=ROLE_OF_WIRE[value])

    class Meta:
        model = User
        fields: list[str] = []
