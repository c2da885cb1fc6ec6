"""The table of a list, and columns that several kinds of asset have."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any
from uuid import UUID

import django_tables2 as tables
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _
from django_tables2.rows import BoundRows

from ..api.filters import ordered, with_ties
from ..api.shared import Shared
from ..db.lookups import OrderKey
from ..text.moments import moment
from ..text.reading import cut
from .base import url_of
from .cells import html_rows
from .markup import copy_key_label, key_with_copy, tag
from .parts import Part

# How far a column counts what may be millions.
COLUMN_COUNT_LIMIT = 1000


class LinkColumn(tables.Column):
    """A link to the page `url_name` of the row, or of the object that the row names by `key`."""

    def __init__(self, url_name: str, *, key: str = "pk", **kwargs: Any) -> None:
        self.url_name, self.key = url_name, key
        super().__init__(**kwargs)

    def render(self, value: Any, record: Any) -> SafeString:
        url = url_of(self.url_name, getattr(record, self.key))
        return mark_safe(f'<a href="{escape(url)}">{escape(str(value))}</a>')  # noqa: S308

    def value(self, value: Any) -> Any:
        return value


class KeyColumn(tables.Column):
    """The start of a key with a button that copies all of it, and a link if there is a page."""

    def __init__(self, *, url_name: str = "", **kwargs: Any) -> None:
        self.url_name = url_name
        super().__init__(**kwargs)

    def render(self, value: UUID) -> SafeString:
        url = url_of(self.url_name, value) if self.url_name else ""
        return key_with_copy(value, url=url, copy_label=self.copy_label)

    @cached_property
    def copy_label(self) -> str:
        # Each table has its own copies of its columns, so this is in the language of its user.
        return copy_key_label()

    def value(self, value: UUID) -> str:
        return str(value)


class WhenColumn(tables.Column):
    """A moment, as its age unless `exact`; in exports as ISO 8601 in UTC."""

    def __init__(self, *, exact: bool = False, **kwargs: Any) -> None:
        self.exact = exact
        super().__init__(**{"attrs": {"td": {"class": "muted"}}, **kwargs})

    def render(self, value: Any) -> SafeString:
        return moment(value, exact=self.exact)

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
    """A status as a badge; `choices` are its `TextChoices`."""

    def __init__(self, choices: Any, **kwargs: Any) -> None:
        self.choices = choices
        super().__init__(**kwargs)

    def render(self, value: str) -> SafeString:
        return tag(self.labels[value], value)

    def value(self, value: str) -> str:
        return self.labels[value]

    @cached_property
    def labels(self) -> dict[str, str]:
        # Each table has its own copies of its columns, so these are in the language of its user.
        return {value: str(label) for value, label in self.choices.choices}


class MetadataColumn(tables.Column):
    """Metadata, shortened except in exports."""

    def render(self, value: dict[str, str]) -> str:
        return cut(self.value(value), 300)

    def value(self, value: dict[str, str]) -> str:
        return ", ".join(f"{key}: {item}" for key, item in sorted(value.items()))


class CountColumn(NumberColumn):
    """A number for each row, counted by one query for the rows of the page.

    Args:
        count: returns the numbers by key for these keys.
        limit: stop counting here and show "1,000+"; exports have the exact number.
    """

    def __init__(
        self, count: Callable[..., Mapping[Any, Any]], limit: int | None = None, **kwargs: Any
    ) -> None:
        self.count, self.limit = count, limit
        super().__init__(**{"accessor": "pk", "orderable": False, **kwargs})

    def counted(self, table: Any, pk: Any, *limit: int) -> Any:
        what = (id(self.count), *limit)
        counts = table.counts.get(what)
        if counts is None:
            keys = [record.pk for record in table.records]
            counts = table.counts[what] = self.count(keys, *limit)
        return counts.get(pk, 0)

    def render(self, value: Any, table: Any) -> str:
        if self.limit is None:
            return f"{self.counted(table, value):,}"
        # One more shows that there are more.
        found = self.counted(table, value, self.limit + 1)
        return f"{found:,}" if found <= self.limit else f"{self.limit:,}+"

    def value(self, value: Any, table: Any) -> int:
        return self.counted(table, value)


class AssetTable(tables.Table):
    """Rows of one kind of asset, the newest first and then by key."""

    # The columns that a page shows only if its user chooses them.
    hidden_columns: tuple[str, ...] = ()
    # Columns of names without a stored sort key.
    name_columns: tuple[str, ...] = ()
    # The last term of every order, if it is not the key.
    tie_breaker = ""

    key = KeyColumn(verbose_name=_("Key"))
    owner = tables.Column(accessor="owner_id", verbose_name=_("Owner"))
    creation_date = WhenColumn(verbose_name=_("Registered"))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.base_columns = Shared(cls.base_columns)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The numbers of `CountColumn`s for the rows of the page.
        self.counts: dict[tuple[int, ...], Mapping[Any, Any]] = {}
        super().__init__(*args, **kwargs)
        queryset = getattr(self.data, "data", None)
        # The rows of the page, or of a chunk of an export.
        self.records: Sequence[Any] = queryset if isinstance(queryset, list) else ()
        if hasattr(queryset, "query"):
            # django-tables2 ignores hidden columns in an order, so the default is applied here.
            ordering = queryset.query.order_by or tuple(self._meta.order_by)
            ordering = tuple(map(self._term, ordering))
            terms = (
                [*ordering, self.tie_breaker]
                if self.tie_breaker
                else with_ties(ordering, queryset.model)
            )
            self.data.data = queryset.order_by(*terms)

    def _term(self, term: Any) -> Any:
        path = str(term).removeprefix("-")
        if path not in self.name_columns:
            return term
        return ordered(OrderKey(path), descending=str(term).startswith("-"))

    def show(self, part: Part) -> None:
        """Show this part of the rows."""
        self.records = part.records
        part.object_list = BoundRows(data=part.records, table=self)
        # Where django-tables2 looks for its pages.
        self.page = self.paginator = part

    @property
    def html_rows(self) -> SafeString:
        return html_rows(self, self.records)

    class Meta:
        attrs = {"class": "table table-hover"}
        order_by = "-creation_date"
        empty_text = _("No results.")
