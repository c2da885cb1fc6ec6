"""Tables of pages: columns that several kinds of asset have."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.template.defaultfilters import date
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from .filters import with_ties
from .markup import key_with_copy, tag
from .texts import cut


class KeyColumn(tables.Column):
    """A key: enough of it to tell rows apart, and all of it to copy; it may lead to its page."""

    def __init__(self, *, url_name: str = "", **kwargs: Any) -> None:
        self.url_name = url_name
        super().__init__(**kwargs)

    def render(self, value: UUID) -> SafeString:
        url = reverse(self.url_name, args=[value]) if self.url_name else ""
        return key_with_copy(value, url=url)

    def value(self, value: UUID) -> str:
        return str(value)


class WhenColumn(tables.Column):
    """A moment, to the minute; in exports as ISO 8601."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"attrs": {"td": {"class": "nowrap muted"}}, **kwargs})

    def render(self, value: Any) -> SafeString:
        return format_html(
            '<time datetime="{}" title="{}">{}</time>',
            value.isoformat(),
            date(value, "Y-m-d H:i:s e"),
            date(value, "Y-m-d H:i"),
        )

    def value(self, value: Any) -> str:
        return value.isoformat()


class NumberColumn(tables.Column):
    """A number, aligned to the right."""

    def __init__(self, **kwargs: Any) -> None:
        right = {"class": "number"}
        super().__init__(**{"attrs": {"td": right, "th": right}, **kwargs})

    def render(self, value: Any) -> str:
        return f"{value:,}"

    def value(self, value: Any) -> Any:
        return value


class StatusColumn(tables.Column):
    """A status of a kind of choices, as a badge."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        self.choices = choices
        super().__init__(**kwargs)

    def render(self, value: str) -> SafeString:
        return tag(self.value(value))

    def value(self, value: str) -> str:
        # The table hands over the label already, where the row's field has these choices.
        return str(dict(self.choices.choices).get(value, value))


class MetadataColumn(tables.Column):
    """Metadata, as far as there is room; in exports all of it."""

    def render(self, value: dict[str, str]) -> str:
        return cut(self.value(value), 300)

    def value(self, value: dict[str, str]) -> str:
        return ", ".join(f"{key}: {item}" for key, item in sorted(value.items()))


class CountColumn(NumberColumn):
    """A number that is counted for the rows of the page only: `count(keys)` answers by key."""

    def __init__(self, count: Callable[[list[Any]], dict[Any, int]], **kwargs: Any) -> None:
        self.count = count
        super().__init__(**{"accessor": "pk", "orderable": False, **kwargs})

    def counted(self, table: Any, pk: Any) -> int:
        counts = table.counts.get(id(self.count))
        if counts is None:
            rows = getattr(table, "page", None) or table.rows
            keys = [row.record.pk for row in getattr(rows, "object_list", rows)]
            counts = table.counts[id(self.count)] = self.count(keys)
        return counts.get(pk, 0)

    def render(self, value: Any, table: Any) -> str:
        return f"{self.counted(table, value):,}"

    def value(self, value: Any, table: Any) -> int:
        return self.counted(table, value)


class AssetTable(tables.Table):
    """Rows of one kind of asset; the newest first, and rows that tie by their key."""

    # Columns that a page shows unless its user has chosen others.
    shown: tuple[str, ...] = ()
    # How rows that tie are ordered, where not in the direction of the last order.
    last = ""

    key = KeyColumn()
    owner = tables.Column(accessor="owner_id", verbose_name="Owner")
    creation_date = WhenColumn(verbose_name="Registered")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # What `CountColumn`s have counted for the rows of the page.
        self.counts: dict[int, dict[Any, int]] = {}
        super().__init__(*args, **kwargs)
        queryset = getattr(self.data, "data", None)
        if hasattr(queryset, "query"):
            # By a column that is hidden a table orders nothing; its usual order holds all the same.
            ordering = queryset.query.order_by or tuple(self._meta.order_by)
            terms = [*ordering, self.last] if self.last else with_ties(ordering, queryset.model)
            self.data.data = queryset.order_by(*terms)

    class Meta:
        attrs = {"class": "table table-hover"}
        order_by = "-creation_date"
        empty_text = "Nothing matches."
