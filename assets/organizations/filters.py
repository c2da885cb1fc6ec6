"""Filters of organisations and users. Contract 1.3."""

from django.db.models import QuerySet
from django_filters import ChoiceFilter
from django_filters import FilterSet as PageFilterSet
from django_filters.rest_framework import FilterSet

from ..common.filters import MatchFilter, search_filter
from .models import Organization, Role, User
from .queries import organization_ids
from .serializers import ROLE_OF_WIRE


class UserFilterSet(FilterSet):
    match = MatchFilter("username")
    role = ChoiceFilter(choices=[(wire, wire) for wire in ROLE_OF_WIRE], method="with_role")

    def with_role(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(role=ROLE_OF_WIRE[value])

    class Meta:
        model = User
        fields: list[str] = []


class OrganizationListFilterSet(PageFilterSet):
    """What the page of organisations is searched by."""

    q = search_filter("id", "name", placeholder="Id or name")

    class Meta:
        model = Organization
        fields: list[str] = []


def _choices() -> list[tuple[str, str]]:
    return [(pk, pk) for pk in sorted(organization_ids())]


class UserListFilterSet(PageFilterSet):
    """What the page of users is filtered by; a page's `q` comes first."""

    q = search_filter("username", placeholder="User name")
    organization = ChoiceFilter(
        field_name="organization_id", label="Organisation", choices=_choices, empty_label="any"
    )
    role = ChoiceFilter(choices=[(role.value, role.value) for role in Role], empty_label="any")
    active = ChoiceFilter(
        field_name="is_active",
        label="Sign-in",
        choices=[("True", "active"), ("False", "deactivated")],
        empty_label="any",
    )

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        if not self.request.user.is_superuser:
            # Whose users are all of one organisation has nothing to choose.
            del self.filters["organization"]

    class Meta:
        model = User
        fields: list[str] = []
