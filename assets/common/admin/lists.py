"""Lists of the admin: what they filter, search and order by is what they show, and no more.

Django's admin filters by any column of the model and of those that it refers to, with any lookup.
By `__startswith` one reads letter by letter what no page shows, and `__regex` takes as long as one
likes. So each list has an allow list: the lookups that its filters, its date hierarchy and the
links of other pages use.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.admin.exceptions import (
    DisallowedModelAdminLookup,
    DisallowedModelAdminToField,
)
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path, lookup_spawns_duplicates
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import BooleanField, DateField, Field, Model
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from ..api.filters import SearchFilter
from ..db.lookups import OrderKey
from ..text.moments import in_utc
from .moments import MomentsAdmin

Check = Callable[[str], bool]

# Of one lookup: its values are joined by OR, and databases limit how many.
MOST_VALUES = 50


def lookups_of(
    model: type[Model],
    list_filter: Iterable[str],
    date_hierarchy: str | None,
    linked_by: Iterable[str],
) -> Mapping[str, Check]:
    """Return the lookups that a list takes, each with the check of its value."""
    found: dict[str, Check] = {}
    for path in list_filter:
        field = get_fields_from_path(model, path)[-1]
        found[f"{path}__isnull"] = lambda value: value in ("True", "False")
        found |= _of_filter(path, field)
    if date_hierarchy:
        found[f"{date_hierarchy}__year"] = _number(1, 9998)
        found[f"{date_hierarchy}__month"] = _number(1, 12)
        found[f"{date_hierarchy}__day"] = _number(1, 31)
    for path in linked_by:
        found[path] = _value_of(get_fields_from_path(model, path)[-1])
    return found


def _of_filter(path: str, field: Any) -> dict[str, Check]:
    """Return the parameters of the filter that Django makes for the field."""
    if field.is_relation:
        return {f"{path}__{field.target_field.name}__exact": _value_of(field)}
    if isinstance(field, BooleanField):
        return {f"{path}__exact": lambda value: value in ("0", "1")}
    if isinstance(field, DateField):
        return {f"{path}__gte": _is_moment, f"{path}__lt": _is_moment}
    return {f"{path}__exact" if field.choices else path: _value_of(field)}


def _value_of(field: Field) -> Check:
    target: Field = getattr(field, "target_field", field)

    def can_stand_there(value: str) -> bool:
        try:
            target.to_python(value)
        except ValidationError:
            return False
        return "\0" not in value

    return can_stand_there


def _number(least: int, most: int) -> Check:
    return lambda value: value.isdecimal() and len(value) < 5 and least <= int(value) <= most


def _is_moment(value: str) -> bool:
    """Is it a moment, with its zone, that databases can compare with?"""
    try:
        moment = parse_datetime(value)
    except ValueError:
        return False
    return bool(moment and moment.tzinfo and in_utc(moment))


class RegistryList(ChangeList):
    """A list that orders by each of its columns once, and by names as readers expect them."""

    def get_ordering_field(self, field_name: Any) -> Any:
        path = super().get_ordering_field(field_name)
        names = {field.name for field in self.lookup_opts.concrete_fields}
        if path in getattr(self.model_admin, "by_name", ()):
            return OrderKey(path)
        return f"{path}_order" if f"{path}_order" in names else path

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        # Databases limit the number of terms.
        if asked := self.params.get(ORDER_VAR):
            self.params[ORDER_VAR] = ".".join(dict.fromkeys(asked.split(".")))
        return super().get_ordering(request, queryset)


class ListAdmin(MomentsAdmin):
    """A kind whose list takes by its address what its own page offers."""

    # Fields that links of other pages filter the list by, beside `list_filter`.
    linked_by: ClassVar[tuple[str, ...]] = ()
    # Columns of names that no kept order has: their order is worked out.
    by_name: ClassVar[tuple[str, ...]] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """May the address of the list filter by this? Only by what the list itself offers."""
        paths: Sequence[Any] = self.list_filter
        allowed = lookups_of(self.model, paths, self.date_hierarchy, self.linked_by)
        return lookup in allowed and allowed[lookup](value)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RegistryList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        for name, values in request.GET.lists():
            if len(values) > MOST_VALUES:
                raise BadRequest(f"Give at most {MOST_VALUES} values of {name}.")
        try:
            return super().get_changelist_instance(request)
        except (DisallowedModelAdminLookup, DisallowedModelAdminToField) as error:
            raise BadRequest(
                f"{error}. Use the filters and columns that the list offers."
            ) from error
        except IncorrectLookupParameters as error:
            raise BadRequest(
                "The list has no such filter, value or page. Use the filters that it offers."
            ) from error

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Search as the other pages do, by `search_fields`."""
        fields: Sequence[str] = self.search_fields
        found = SearchFilter(*fields).filter(queryset, search_term)
        return found, any(lookup_spawns_duplicates(self.opts, name.lstrip("=")) for name in fields)
