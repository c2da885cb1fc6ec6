"""`/news_feed/`. Contract 2.11."""

from django_filters.rest_framework import FilterSet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from ..common.api.filters import FlagFilter, MomentFilter
from .models import Event
from .queries import important_of, news_of
from .serializers import NewsSerializer


class NewsFilterSet(FilterSet):
    timestamp_after = MomentFilter("timestamp", "gte")
    timestamp_before = MomentFilter("timestamp", "lt")
    important_news_only = FlagFilter(method="keep_important")

    def keep_important(self, queryset, name: str, value: bool):
        return important_of(queryset) if value else queryset


class NewsFeedViewSet(GenericViewSet):
    """News about compute plans and datasets, newest first."""

    queryset = news_of(Event.objects.order_by("-timestamp", "-pk"))
    serializer_class = NewsSerializer
    filterset_class = NewsFilterSet

    def list(self, request: Request, *args, **kwargs) -> Response:
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        news = NewsSerializer(context=self.get_serializer_context())
        return self.get_paginated_response(news.represent(rows))
