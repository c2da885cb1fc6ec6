"""Lists of the admin: they filter, search and order only by what they show.

Django's admin filters by any column of a model and of related models, with any lookup.
`__startswith` would reveal hidden values letter by letter, and `__regex` can run for as long as its
pattern asks. So each list allows only the lookups of its filters, its date hierarchy and the links
of other pages.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.admin.exceptions import DisallowedModelAdminLookup, DisallowedModelAdminToField
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path, lookup_spawns_duplicates
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import BooleanField, DateField, Field, Model
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from ..api.filters import SearchFilter
from ..db.lookups import OrderKey
from ..text.moments import in_utc
from .moments import MomentsAdmin

Check = Callable[[str], bool]

# Per lookup: its values are joined by OR, and databases limit the number of terms.
MAX_VALUES = 50


def allowed_lookups(
    model: type[Model],
    list_filter: Iterable[str],
    date_hierarchy: str | None,
    link_filters: Iterable[str],
) -> Mapping[str, Check]:
    """Return the lookups that a list accepts, each with the check of its value."""
    found: dict[str, Check] = {}
    for path in list_filter:
        field = get_fields_from_path(model, path)[-1]
        found[f"{path}__isnull"] = lambda value: value in ("True", "False")
        found |= _filter_lookups(path, field)
    if date_hierarchy:
        found[f"{date_hierarchy}__year"] = _is_number(1, 9998)
        found[f"{date_hierarchy}__month"] = _is_number(1, 12)
        found[f"{date_hierarchy}__day"] = _is_number(1, 31)
    for path in link_filters:
        found[path] = _is_value(get_fields_from_path(model, path)[-1])
    return found


def _filter_lookups(path: str, field: Any) -> dict[str, Check]:
    """Return the lookups of the filter that Django makes for the field."""
    if field.is_relation:
        return {f"{path}__{field.target_field.name}__exact": _is_value(field)}
    if isinstance(field, BooleanField):
        return {f"{path}__exact": lambda value: value in ("0", "1")}
    if isinstance(field, DateField):
        return {f"{path}__gte": _is_moment, f"{path}__lt": _is_moment}
    return {f"{path}__exact" if field.choices else path: _is_value(field)}


def _is_value(field: Field) -> Check:
    target: Field = getattr(field, "target_field", field)

    def check(value: str) -> bool:
        try:
            target.to_python(value)
        except ValidationError:
            return False
        return "\0" not in value

    return check


def _is_number(minimum: int, maximum: int) -> Check:
    return lambda value: value.isdecimal() and len(value) < 5 and minimum <= int(value) <= maximum


def _is_moment(value: str) -> bool:
    """Is it a date and time with its zone, in the range of the databases?"""
    try:
        moment = parse_datetime(value)
    except ValueError:
        return False
    return bool(moment and moment.tzinfo and in_utc(moment))


class RegistryList(ChangeList):
    """A list that orders by each column once, and by names in the order of an alphabet."""

    def get_ordering_field(self, field_name: Any) -> Any:
        path = super().get_ordering_field(field_name)
        names = {field.name for field in self.lookup_opts.concrete_fields}
        if path in getattr(self.model_admin, "name_columns", ()):
            return OrderKey(path)
        return f"{path}_order" if f"{path}_order" in names else path

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[Any]:
        # Databases limit the number of terms.
        if asked := self.params.get(ORDER_VAR):
            self.params[ORDER_VAR] = ".".join(dict.fromkeys(asked.split(".")))
        return super().get_ordering(request, queryset)


class ListAdmin(MomentsAdmin):
    """A kind whose list accepts only the parameters that its own page offers."""

    # Fields that links of other pages filter by, in addition to `list_filter`.
    link_filters: ClassVar[tuple[str, ...]] = ()
    # Columns with names that have no order column: the database works their order out.
    name_columns: ClassVar[tuple[str, ...]] = ()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """May the address of the list filter by this?"""
        paths: Sequence[Any] = self.list_filter
        allowed = allowed_lookups(self.model, paths, self.date_hierarchy, self.link_filters)
        return lookup in allowed and allowed[lookup](value)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RegistryList

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        for name, values in request.GET.lists():
            if len(values) > MAX_VALUES:
                message = _("Use at most %(limit)d values of %(name)s.")
                raise BadRequest(message % {"limit": MAX_VALUES, "name": name})
        try:
            return super().get_changelist_instance(request)
        except (DisallowedModelAdminLookup, DisallowedModelAdminToField) as error:
            message = _("%(error)s. Use the filters and columns that the list offers.")
            raise BadRequest(message % {"error": error}) from error
        except IncorrectLookupParameters as error:
            message = _("No such filter, value or page. Use the filters that the list offers.")
            raise BadRequest(message) from error

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Search `search_fields` in the way of the dashboard and the API."""
        fields: Sequence[str] = self.search_fields
        found = SearchFilter(*fields).filter(queryset, search_term)
        return found, any(lookup_spawns_duplicates(self.opts, name.lstrip("=")) for name in fields)
