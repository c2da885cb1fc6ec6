"""Filters by what organisations may do. Contract 2.0, 2.14."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, tzinfo

from django.db.models import QuerySet
from django.forms import DateInput, HiddenInput, TextInput
from django_filters import CharFilter, DateFilter, FilterSet

from ..accounts.filters import OrganizationFilter
from ..common.api.filters import FlagBox, FlagFilter, KeysFilter, TextsFilter
from ..common.db.lookups import MetadataHas
from ..common.text.moments import ZONE, within_time, zone_named
from .models import Permissions
from .queries import allowing_any


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


class DayFilter(DateFilter):
    """Keeps what was registered since a day, or until one, by the index of the moment.

    Another `field_name` keeps what happened then. The day is one of the zone that the filter set's
    `tz` names, or of UTC.
    """

    def __init__(self, *, until: bool = False, **kwargs) -> None:
        self.until = until
        kwargs.setdefault("widget", DateInput(attrs={"type": "date"}))
        kwargs.setdefault("field_name", "creation_date")
        super().__init__(**kwargs)

    def filter(self, queryset: QuerySet, value: date | None) -> QuerySet:
        if value is None:
            return queryset
        # Not by the day after: the last day of all has none.
        edge = datetime.combine(value, time.max if self.until else time.min, tzinfo=self.zone)
        lookup = "lte" if self.until else "gte"
        return queryset.filter(**{f"{self.field_name}__{lookup}": within_time(edge)})

    @property
    def zone(self) -> tzinfo:
        return zone_named(self.parent.data.get(ZONE))

    def shown(self, value: str) -> str:
        """Return how a day is named among the filters that hold."""
        return f"{value} ({self.zone})"


class ZoneFilter(CharFilter):
    """The time zone of the days that are filtered by; `moments.js` sets it to the viewer's."""

    def __init__(self) -> None:
        super().__init__(widget=HiddenInput(attrs={"data-time-zone": True}))

    def filter(self, queryset: QuerySet, value: str | None) -> QuerySet:
        return queryset


class MetadataEntryFilter(CharFilter):
    """`key` or `key=value`: keeps what has such an entry of metadata."""

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault("label", "Metadata")
        kwargs.setdefault("widget", TextInput(attrs={"placeholder": "key or key=value"}))
        super().__init__(**kwargs)

    def filter(self, queryset: QuerySet, value: str | None) -> QuerySet:
        if not value:
            return queryset
        key, equals, wanted = value.partition("=")
        comparison = "is" if equals else "exists"
        return queryset.filter(MetadataHas("metadata", key.strip(), comparison, wanted.strip()))


def hidden_keys(**kwargs) -> KeysFilter:
    """A filter by keys that links of other pages set."""
    return KeysFilter(widget=HiddenInput, **kwargs)


class AssetListFilterSet(FilterSet):
    """The filters of the pages that list assets: the same classes as the API's where both have it.

    A kind declares `q`, by what it is searched.
    """

    owner = OrganizationFilter(field_name="owner_id", label="Owner")
    after = DayFilter(label="Registered since")
    before = DayFilter(label="Registered until", until=True)
    tz = ZoneFilter()

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # What is typed most comes first.
        self.filters.move_to_end("q", last=False)

    class Meta:
        fields: list[str] = []


class UsableFilter(FlagFilter):
    """Keeps assets that the user's organisation may process and download."""

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault("label", "Usable by my organisation")
        super().__init__(field_name="permissions", widget=FlagBox(), **kwargs)

    def filter(self, queryset: QuerySet, value: bool | None) -> QuerySet:
        if not value:
            return queryset
        own = self.parent.request.user.organization_id
        return queryset.filter(permissions__in=allowing_any([own or ""]).values("pk"))
