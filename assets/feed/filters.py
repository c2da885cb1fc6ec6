"""Filters of activity and of the audit trail."""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

from django.db.models import QuerySet, TextChoices
from django.forms import HiddenInput
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter, FilterSet

from ..accounts.filters import ManagedFilterSet, OrganizationFilter
from ..common.api.filters import NarrowingMixin, search_filter
from ..common.audit import Action, Result, SubjectKind
from ..common.kinds import AssetKind
from ..permissions.filters import DayFilter, ZoneFilter, hidden_keys
from .queries import by_actor, important_of, news_of

# Kinds with public events; other assets are registered with one of these.
KINDS = (
    AssetKind.DATA_MANAGER,
    AssetKind.DATA_SAMPLE,
    AssetKind.FUNCTION,
    AssetKind.COMPUTE_PLAN,
    AssetKind.COMPUTE_TASK,
)


# Actions with public events.
PUBLIC_ACTIONS = (
    Action.REGISTERED,
    Action.RENAMED,
    Action.LINKED,
    Action.STARTED,
    Action.ENDED,
    Action.CANCELED,
)


def one_of(choices: Iterable[TextChoices], label: str, **kwargs: Any) -> ChoiceFilter:
    """Return a filter by one of the choices."""
    named = [(choice.value, choice.label) for choice in choices]
    return ChoiceFilter(choices=named, label=label, empty_label=_("any"), **kwargs)


class ActivityFilterSet(FilterSet):
    """The filters of activity."""

    q = search_filter("visible_actor", "asset_name", placeholder=_("User or asset"))
    organization = OrganizationFilter(field_name="organization_id", label=_("Organisation"))
    action = one_of(PUBLIC_ACTIONS, _("Action"))
    kind = one_of(KINDS, _("Kind"), field_name="asset_kind")
    since = DayFilter(field_name="timestamp", label=_("Since"))
    until = DayFilter(field_name="timestamp", label=_("Until"), until=True)
    tz = ZoneFilter()
    asset_key = hidden_keys(field_name="asset_key", label=_("Asset"))
    actor = CharFilter(label=_("User"), widget=HiddenInput(), method="keep_actor")
    news = ChoiceFilter(
        label=_("News"),
        choices=[("all", _("plans and datasets")), ("important", _("plans that ended"))],
        method="keep_news",
        widget=HiddenInput(),
    )

    def keep_actor(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return by_actor(queryset, value)

    def keep_news(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        news = news_of(queryset)
        return important_of(news) if value == "important" else news


class AddressFilter(NarrowingMixin, CharFilter):
    """Filters by an IP address; other texts match nothing."""

    def narrow(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        try:
            return queryset.filter(address=str(ip_address(value.strip())))
        except ValueError:
            return queryset.none()


class AuditFilterSet(ManagedFilterSet, ActivityFilterSet):
    """The filters of the audit trail."""

    q = search_filter("visible_actor", "asset_name", placeholder=_("User or asset"))
    action = one_of(Action, _("Action"))
    kind = one_of(
        (*KINDS, AssetKind.MODEL, AssetKind.FAILURE_REPORT, AssetKind.ORGANIZATION, *SubjectKind),
        _("Kind"),
        field_name="asset_kind",
    )
    result = one_of(Result, _("Result"))
    address = AddressFilter(label=_("Address"))
    news = None
