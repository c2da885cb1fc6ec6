"""Filters of organisations, users and people who await approval. Contract 1.3."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter, FilterSet as PageFilterSet
from django_filters.rest_framework import FilterSet

from ..common.api.filters import MatchFilter, search_filter
from ..common.text.folding import order_key
from .models import Role
from .queries import organization_ids
from .rules import manages_all
from .serializers import ROLE_OF_WIRE


class UserFilterSet(FilterSet):
    match = MatchFilter("username")
    role = ChoiceFilter(choices=[(wire, wire) for wire in ROLE_OF_WIRE], method="with_role")

    def with_role(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(role=ROLE_OF_WIRE[value])


class OrganizationFilter(ChoiceFilter):
    """Filters by one organisation; the filters of a set share one query for the choices."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"choices": (), "empty_label": _("any"), **kwargs})

    @property
    def field(self) -> Any:
        filterset: Any = self.parent
        if not hasattr(filterset, "organization_choices"):
            filterset.organization_choices = [
                (pk, pk) for pk in sorted(organization_ids(), key=order_key)
            ]
        self.extra["choices"] = filterset.organization_choices
        return super().field


class OrganizationListFilterSet(PageFilterSet):
    """The search of the list of organisations."""

    q = search_filter("id", "name", placeholder=_("ID or name"))


class ManagedFilterSet(PageFilterSet):
    """Base of filters for admins, of their organisation, and for superusers, of all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not manages_all(self.request.user):
            # All rows are of one organisation: there is nothing to choose.
            del self.filters["organization"]


class UserListFilterSet(ManagedFilterSet):
    """The filters of the list of users."""

    q = search_filter("username", placeholder=_("User name"))
    organization = OrganizationFilter(field_name="organization_id", label=_("Organisation"))
    role = ChoiceFilter(
        label=_("Role"), choices=[(role.value, role.value) for role in Role], empty_label=_("any")
    )
    active = ChoiceFilter(
        field_name="is_active",
        label=_("Sign-in"),
        choices=[("True", _("active")), ("False", _("deactivated"))],
        empty_label=_("any"),
    )


class AwaitingFilterSet(FilterSet):
    username = CharFilter()
