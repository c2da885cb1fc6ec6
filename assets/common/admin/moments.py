"""Dates and times in the admin: shown as on the dashboard, and filtered by days of UTC."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.contrib import admin
from django.db.models import DateField, DateTimeField
from django.http import HttpRequest
from django.utils.safestring import SafeString

from ..text.moments import moment


class MomentsAdmin(admin.ModelAdmin):
    """A kind whose dates and times show as on the dashboard: in the reader's zone, by a script."""

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return [_as_moment(self.opts, name, exact=False) for name in names]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = []
        fieldsets: Any = super().get_fieldsets(request, obj)
        for heading, options in fieldsets:
            fields = [_as_moment(self.opts, name, exact=True) for name in options["fields"]]
            found.append((heading, {**options, "fields": fields}))
        return found


@cache
def _as_moment(options: Any, name: Any, *, exact: bool) -> Callable[[Any], SafeString] | Any:
    fields = {field.name: field for field in options.concrete_fields}
    field = fields.get(name)
    if not isinstance(field, DateTimeField):
        return name

    @admin.display(description=field.verbose_name, ordering=field.name)
    def show(row: Any) -> SafeString:
        return moment(getattr(row, field.name), "-", exact=exact)

    show.__name__ = field.name
    return show


class UtcDaysFilter(admin.DateFieldListFilter):
    """A filter by days, which are days of UTC."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = f"{self.title} (UTC)"


admin.FieldListFilter.register(
    lambda field: isinstance(field, DateField), UtcDaysFilter, take_priority=True
)
