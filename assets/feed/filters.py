"""Filters of the page of activity."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from django.db.models import QuerySet, TextChoices
from django.forms import HiddenInput
from django_filters import CharFilter, ChoiceFilter, FilterSet

from ..accounts.filters import ManagedFilterSet, OrganizationFilter
from ..common.api.filters import search_filter
from ..common.audit import Action, Result, SubjectKind
from ..common.kinds import AssetKind
from ..permissions.filters import DayFilter, ZoneFilter, hidden_keys
from .models import Event
from .queries import by_actor, important_of, news_of

# Kinds that things happen to by themselves; the others come and go with one of these.
KINDS = (
    AssetKind.DATA_MANAGER,
    AssetKind.DATA_SAMPLE,
    AssetKind.FUNCTION,
    AssetKind.COMPUTE_PLAN,
    AssetKind.COMPUTE_TASK,
)


# What can happen to an asset, which everybody may know.
PUBLIC_ACTIONS = (
    Action.REGISTERED,
    Action.RENAMED,
    Action.LINKED,
    Action.STARTED,
    Action.ENDED,
    Action.CANCELED,
)


def one_of(choices: Iterable[TextChoices], label: str, **kwargs: Any) -> ChoiceFilter:
    """A filter by one of these, or by none."""
    named = [(choice.value, choice.label) for choice in choices]
    return ChoiceFilter(choices=named, label=label, empty_label="any", **kwargs)


class ActivityFilterSet(FilterSet):
    """Who did what to which asset, and when."""

    q = search_filter("visible_actor", "asset_name", placeholder="User or asset")
    organization = OrganizationFilter(field_name="organization_id", label="Organisation")
    action = one_of(PUBLIC_ACTIONS, "Action")
    kind = one_of(KINDS, "Kind", field_name="asset_kind")
    since = DayFilter(field_name="timestamp", label="Since")
    until = DayFilter(field_name="timestamp", label="Until", until=True)
    tz = ZoneFilter()
    asset_key = hidden_keys(field_name="asset_key", label="Asset")
    actor = CharFilter(label="User", widget=HiddenInput(), method="keep_actor")
    news = ChoiceFilter(
        label="News",
        choices=[("all", "plans and datasets"), ("important", "plans that ended")],
        method="keep_news",
        widget=HiddenInput(),
    )

    def keep_actor(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return by_actor(queryset, value)

    def keep_news(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        news = news_of(queryset)
        return important_of(news) if value == "important" else news

    class Meta:
        model = Event
        fields: list[str] = []


class AddressFilter(CharFilter):
    """An IP address; what is none is nobody's."""

    def filter(self, queryset: QuerySet[Any], value: str | None) -> QuerySet[Any]:
        if not value:
            return queryset
        try:
            return queryset.filter(address=str(ip_address(value.strip())))
        except ValueError:
            return queryset.none()


class AuditFilterSet(ManagedFilterSet, ActivityFilterSet):
    """What happened or was refused, to assets and otherwise, and from where."""

    q = search_filter("visible_actor", "asset_name", placeholder="User or asset")
    action = one_of(Action, "Action")
    kind = one_of(
        (*KINDS, AssetKind.MODEL, AssetKind.FAILURE_REPORT, AssetKind.ORGANIZATION, *SubjectKind),
        "Kind",
        field_name="asset_kind",
    )
    result = one_of(Result, "Result")
    address = AddressFilter(label="Address")
    news = None

    class Meta(ActivityFilterSet.Meta):
        pass
