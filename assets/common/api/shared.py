"""Filters and columns whose copies, which each request gets, share what does not change."""

from collections import OrderedDict
from copy import copy
from typing import Any

from django_filters import Filter


class Shared(OrderedDict):
    """Filters or columns of a class by name, whose deep copies share what each of them has.

    django-filter and django-tables2 copy them for each request, with every label and widget: that
    was a tenth of the function calls of a list's page.
    """

    def __deepcopy__(self, memo: Any) -> "Shared":
        found = Shared()
        for name, item in self.items():
            found[name] = own = copy(item)
            if isinstance(item, Filter):
                own.extra = dict(item.extra)
                # Setting it binds it to this copy.
                own.method = item.method
        return found


class SharedFilters:
    """Mixin of filter sets."""

    @classmethod
    def get_filters(cls) -> Shared:
        return Shared(super().get_filters())  # type: ignore[misc]
