"""Pages that list: search, filters, order, columns and exports, all told by the URL."""

import csv
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, ClassVar

import orjson
from crispy_forms.helper import FormHelper
from django.core.paginator import EmptyPage
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import capfirst

from .pages import OfKind, Page
from .tables import AssetTable

PAGE_SIZES = (25, 50, 100, 250)
EXPORT_CHUNK = 500
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


class ListPage(OfKind, Page):
    """Lists one kind of row.

    `?q=` searches, the filter set's own parameters filter, `sort`, `page`, `per_page` and `columns`
    say what is seen of it; `export=csv|json` answers all rows that the filters keep.
    """

    template_name = "components/list.html"
    table_class: ClassVar[type[AssetTable]]
    filterset_class: ClassVar[type]
    # What the empty list says, and what to do about it.
    empty_hint: ClassVar[str] = ""

    def rows(self) -> QuerySet:
        """Return all rows that there are, with what the table shows of them."""
        return self.queryset.all()

    def get_title(self) -> str:
        return capfirst(self.noun_plural)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.filterset = self.filterset_class(request.GET, queryset=self.rows(), request=request)
        rows = self.filterset.qs
        if (wanted := request.GET.get("export")) in ("csv", "json"):
            return self.export(rows, wanted)
        return super().get(request, *args, **kwargs)

    # --- What is seen ---------------------------------------------------------------------------

    @property
    def choices(self) -> dict[str, Any]:
        """What the user has chosen for this list: columns, rows a page."""
        return getattr(self.request.user, "preferences", {}).get(f"list:{self.list_url}", {})

    def columns(self) -> list[str]:
        """Return the columns to show: of the URL, or as chosen, or the usual ones."""
        known = list(self.table_class.base_columns)
        asked = self.request.GET.get("columns", "").split(",")
        wanted = [name for name in asked if name in known] or self.choices.get("columns")
        return [name for name in known if name in (wanted or self.table_class.shown or known)]

    def per_page(self) -> int:
        asked = str(self.request.GET.get("per_page") or self.choices.get("per_page", ""))
        return int(asked) if asked in map(str, PAGE_SIZES) else 50

    def make_table(self, rows: Any, **options: Any) -> AssetTable:
        columns = self.columns()
        hidden = [name for name in self.table_class.base_columns if name not in columns]
        known = self.table_class.base_columns
        # Each once: databases do not order by any number of terms.
        asked = dict.fromkeys(self.request.GET.getlist("sort"))
        if order := [name for name in asked if name.removeprefix("-") in known]:
            options["order_by"] = order
        table = self.table_class(rows, exclude=hidden, **options)
        # Not told before: the table would then read the page and its size from the URL by itself.
        table.request = self.request
        # Columns may need to know who looks.
        table.viewer = self.request.user
        return table

    def page_of(self, table: AssetTable) -> None:
        """Cut the table down to the page that is asked for, or to the last one."""
        number = self.request.GET.get("page", "1")
        page = max(1, int(number)) if number.isdecimal() and len(number) < 10 else 1
        try:
            table.paginate(page=page, per_page=self.per_page())
        except EmptyPage:
            table.paginate(page=table.paginator.num_pages, per_page=self.per_page())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        table = self.make_table(self.filterset.qs)
        self.page_of(table)
        shown = self.columns()
        columns = [
            (name, column.verbose_name or name.replace("_", " ").capitalize(), name in shown)
            for name, column in self.table_class.base_columns.items()
        ]
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        return super().get_context_data(
            table=table,
            filterset=self.filterset,
            filter_helper=helper,
            chips=self.chips(),
            columns=columns,
            page_sizes=PAGE_SIZES,
            per_page=self.per_page(),
            # A table without any row is another thing than a filter that keeps none.
            nothing_yet=not table.paginator.count and not self.chips(),
            **kwargs,
        )

    def chips(self) -> list[tuple[str, str, str]]:
        """Return (label, value, URL without it) of every filter that holds."""
        found = []
        form = self.filterset.form
        for name, value in self.request.GET.items():
            base = name.removesuffix("_after").removesuffix("_before")
            if value and base in form.fields:
                query = self.request.GET.copy()
                del query[name]
                query.pop("page", None)
                label = form.fields[base].label or base.replace("_", " ")
                suffix = name[len(base) :].replace("_", " ")
                found.append((f"{label}{suffix}", self.shown_value(base, value), query.urlencode()))
        return found

    def shown_value(self, name: str, value: str) -> str:
        # Asked for as they are: choices that are looked up have no length.
        choices = list(getattr(self.filterset.form.fields[name], "choices", ()))
        return str(dict(choices).get(value, value))

    # --- Exports --------------------------------------------------------------------------------

    def export(self, rows: QuerySet, kind: str) -> StreamingHttpResponse:
        """Answer all rows, a few hundred at a time."""
        table = self.make_table(rows)
        ordered = table.data.data
        lines, mime = {
            "csv": (self._csv, "text/csv; charset=utf-8"),
            "json": (self._json, "application/json"),
        }[kind]
        response = StreamingHttpResponse(lines(ordered), content_type=mime)
        response["Content-Disposition"] = f'attachment; filename="{self.list_url}.{kind}"'
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def _chunks(self, rows: QuerySet) -> Iterator[list[Any]]:
        found = rows.iterator(chunk_size=EXPORT_CHUNK)
        while chunk := list(islice(found, EXPORT_CHUNK)):
            yield chunk

    def _values(self, rows: Iterable[Any]) -> Iterator[list[Any]]:
        return self.make_table(list(rows), order_by=()).as_values()

    def _csv(self, rows: QuerySet) -> Iterator[str]:
        writer = csv.writer(Echo())
        yield writer.writerow(next(self._values([])))
        for chunk in self._chunks(rows):
            values = self._values(chunk)
            next(values)
            for row in values:
                yield writer.writerow([_plain(value) for value in row])

    def _json(self, rows: QuerySet) -> Iterator[bytes]:
        # The columns in the order of their values, which is not the order of their definition.
        names = [column.name for column in self.make_table([], order_by=()).columns.iterall()]
        yield b"["
        separator = b"\n"
        for chunk in self._chunks(rows):
            values = self._values(chunk)
            next(values)
            for row in values:
                yield separator + orjson.dumps(dict(zip(names, row, strict=True)), default=str)
                separator = b",\n"
        yield b"\n]\n"


def _plain(value: Any) -> Any:
    """Return the value so that a spreadsheet takes it for what it is, and never runs it."""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if is_formula else value
