"""Filters by what organisations may do. Contract 2.0, 2.14."""

from collections.abc import Callable, Iterable

from django.db.models import QuerySet

from ..common.filters import TextsFilter
from .models import Permissions


class AllowedFilter(TextsFilter):
    """Keeps assets whose permissions, under `field_name`, allow the listed organisations."""

    def __init__(
        self, allowing: Callable[[Iterable[str]], QuerySet[Permissions]], field_name: str, **kwargs
    ) -> None:
        self.allowing = allowing
        super().__init__(field_name=field_name, **kwargs)

    def filter(self, queryset: QuerySet, value: list[str] | None) -> QuerySet:
        if not value:
            return queryset
        return queryset.filter(**{f"{self.field_name}__in": self.allowing(value).values("pk")})
