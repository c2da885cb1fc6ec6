"""Filters of the page of activity."""

from typing import Any

from django.db.models import QuerySet
from django.forms import HiddenInput
from django_filters import CharFilter, ChoiceFilter, FilterSet

from ..common.filters import search_filter
from ..common.kinds import AssetKind
from ..organizations.filters import OrganizationFilter
from ..permissions.filters import DayFilter, hidden_keys
from .models import Event
from .queries import important_of, news_of

# Kinds that things happen to by themselves; the others come and go with one of these.
KINDS = (
    AssetKind.DATA_MANAGER,
    AssetKind.DATA_SAMPLE,
    AssetKind.FUNCTION,
    AssetKind.COMPUTE_PLAN,
    AssetKind.COMPUTE_TASK,
)


class ActivityFilterSet(FilterSet):
    """Who did what to which asset, and when."""

    q = search_filter("actor_name", "asset_name", placeholder="User or name of an asset")
    organization = OrganizationFilter(field_name="organization_id", label="Organisation")
    action = ChoiceFilter(choices=Event.Action.choices, label="Action", empty_label="any")
    kind = ChoiceFilter(
        field_name="asset_kind",
        label="Kind",
        choices=[(kind.value, kind.label) for kind in KINDS],
        empty_label="any",
    )
    since = DayFilter(field_name="timestamp", label="Since")
    until = DayFilter(field_name="timestamp", label="Until", until=True)
    asset_key = hidden_keys(field_name="asset_key", label="Asset")
    actor = CharFilter(field_name="actor_name", label="User", widget=HiddenInput())
    news = ChoiceFilter(
        label="News",
        choices=[("all", "plans and datasets"), ("important", "plans that ended")],
        method="keep_news",
        widget=HiddenInput(),
    )

    def keep_news(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        news = news_of(queryset)
        return important_of(news) if value == "important" else news

    class Meta:
        model = Event
        fields: list[str] = []
