"""Filters that the lists of assets share, and filters by permissions. Contract 2.0, 2.14."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, time, tzinfo

from django.db.models import QuerySet
from django.forms import DateInput, HiddenInput, TextInput
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, DateFilter, FilterSet

from ..accounts.filters import OrganizationFilter
from ..common.api.filters import (
    FlagBox,
    FlagFilter,
    KeysFilter,
    NarrowingMixin,
    TextsFilter,
)
from ..common.api.shared import SharedFilters
from ..common.db.lookups import MetadataHas
from ..common.text.moments import ZONE, within_time, zone_named
from .models import Permissions
from .queries import allowing_any


class AllowedFilter(NarrowingMixin, TextsFilter):
    """Filters assets whose permissions, in `field_name`, allow the listed organisations."""

    def __init__(
        self, allowing: Callable[[Iterable[str]], QuerySet[Permissions]], field_name: str, **kwargs
    ) -> None:
        self.allowing = allowing
        super().__init__(field_name=field_name, **kwargs)

    def narrow(self, queryset: QuerySet, value: list[str]) -> QuerySet:
        return queryset.filter(**{f"{self.field_name}__in": self.allowing(value).values("pk")})


class DayFilter(NarrowingMixin, DateFilter):
    """Filters by a day, the first or (`until`) the last; by default of the registration.

    The day is one of the time zone in the filter set's `tz`, or of UTC.
    """

    def __init__(self, *, until: bool = False, **kwargs) -> None:
        self.until = until
        kwargs.setdefault("widget", DateInput(attrs={"type": "date"}))
        kwargs.setdefault("field_name", "creation_date")
        super().__init__(**kwargs)

    def narrow(self, queryset: QuerySet, value: date) -> QuerySet:
        # Not before the next day: the last possible day has none.
        edge = datetime.combine(value, time.max if self.until else time.min, tzinfo=self.zone)
        lookup = "lte" if self.until else "gte"
        return queryset.filter(**{f"{self.field_name}__{lookup}": within_time(edge)})

    @property
    def zone(self) -> tzinfo:
        return zone_named(self.parent.data.get(ZONE))

    def shown(self, value: str) -> str:
        """Return the day as the list of active filters shows it."""
        return f"{value} ({self.zone})"


class ZoneFilter(CharFilter):
    """The time zone of the days; `moments.js` sets it to the viewer's."""

    def __init__(self) -> None:
        super().__init__(widget=HiddenInput(attrs={"data-time-zone": True}))

    def filter(self, queryset: QuerySet, value: str | None) -> QuerySet:
        return queryset


class MetadataEntryFilter(NarrowingMixin, CharFilter):
    """Filters by an entry of metadata, `key` or `key=value`."""

    def __init__(self) -> None:
        widget = TextInput(attrs={"placeholder": _("key or key=value")})
        super().__init__(label=_("Metadata"), widget=widget)

    def narrow(self, queryset: QuerySet, value: str) -> QuerySet:
        key, equals, wanted = value.partition("=")
        comparison = "is" if equals else "exists"
        return queryset.filter(MetadataHas("metadata", key.strip(), comparison, wanted.strip()))


def hidden_keys(**kwargs) -> KeysFilter:
    """Return a filter by keys, which links of other pages set."""
    return KeysFilter(widget=HiddenInput, **kwargs)


class AssetListFilterSet(SharedFilters, FilterSet):
    """Base of the filters of asset lists; subclasses declare the search, `q`."""

    owner = OrganizationFilter(field_name="owner_id", label=_("Owner"))
    after = DayFilter(label=_("Registered since"))
    before = DayFilter(label=_("Registered until"), until=True)
    tz = ZoneFilter()

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        # The search comes first.
        self.filters.move_to_end("q", last=False)


class UsableFilter(NarrowingMixin, FlagFilter):
    """Filters assets that the user's organisation may process and download."""

    def __init__(self) -> None:
        label = _("Usable by my organisation")
        super().__init__(field_name="permissions", label=label, widget=FlagBox())

    def narrow(self, queryset: QuerySet, value: bool) -> QuerySet:
        own = self.parent.request.user.organization_id
        return queryset.filter(permissions__in=allowing_any([own or ""]).values("pk"))
