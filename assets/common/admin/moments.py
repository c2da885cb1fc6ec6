"""Moments in the admin: shown as pages show them, and filtered by days of UTC."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin
from django.db.models import DateField, DateTimeField
from django.http import HttpRequest
from django.utils.safestring import SafeString

from ..text.moments import moment


class MomentsAdmin(admin.ModelAdmin):
    """Mixin that shows each field of a list or a page that is a moment by the element of pages."""

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return [_moment_of(self.opts, name, exact=False) for name in names]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = []
        fieldsets: Any = super().get_fieldsets(request, obj)
        for heading, options in fieldsets:
            fields = [_moment_of(self.opts, name, exact=True) for name in options["fields"]]
            found.append((heading, {**options, "fields": fields}))
        return found


@cache
def _moment_of(options: Any, name: Any, *, exact: bool) -> Callable[[Any], SafeString] | Any:
    fields = {field.name: field for field in options.concrete_fields}
    field = fields.get(name)
    if not isinstance(field, DateTimeField):
        return name

    @admin.display(description=str(field.verbose_name), ordering=field.name)
    def show(row: Any) -> SafeString:
        return moment(getattr(row, field.name), "-", exact=exact)

    show.__name__ = field.name
    return show


class UtcDaysFilter(admin.DateFieldListFilter):
    """The days since something happened, which are those of UTC."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = f"{self.title} (UTC)"


admin.FieldListFilter.register(
    lambda field: isinstance(field, DateField), UtcDaysFilter, take_priority=True
)
