"""`/news_feed/`. Contract 2.11."""

from django_filters import BooleanFilter, IsoDateTimeFilter
from django_filters.rest_framework import FilterSet
from rest_framework.mixins import ListModelMixin
from rest_framework.viewsets import GenericViewSet

from ..common.kinds import AssetKind
from .models import Event
from .serializers import NewsSerializer

NEWS = (Event.Action.REGISTERED, Event.Action.STARTED, Event.Action.ENDED)


class NewsFilterSet(FilterSet):
    timestamp_after = IsoDateTimeFilter("timestamp", "gte")
    timestamp_before = IsoDateTimeFilter("timestamp", "lt")
    important_news_only = BooleanFilter(method="keep_important")

    def keep_important(self, queryset, name: str, value: bool):
        return queryset.filter(action=Event.Action.ENDED) if value else queryset

    class Meta:
        model = Event
        fields: list[str] = []


class NewsFeedViewSet(ListModelMixin, GenericViewSet):
    """What happened to compute plans and datasets, newest first."""

    queryset = Event.objects.filter(
        asset_kind__in=[AssetKind.COMPUTE_PLAN, AssetKind.DATA_MANAGER], action__in=NEWS
    ).order_by("-timestamp", "-pk")
    serializer_class = NewsSerializer
    filterset_class = NewsFilterSet
