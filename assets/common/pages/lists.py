"""Pages with lists; the URL holds their search, filters, order, columns and page."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.core.exceptions import BadRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.text import capfirst
from django.utils.translation import gettext

from ..db.counting import RowCount, count_rows
from ..db.pagination import Listing
from ..forms.filter_form import fields_of
from ..text.moments import ZONE
from ..text.reading import cut
from .base import AssetKindMixin, Crumb, Page
from .exports import csv_lines, json_lines
from .parts import PLACE, Part, part_of
from .tables import AssetTable

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE_SIZES = (25, 50, 100, 250)
# The id of the element that a filter replaces.
RESULTS = "results-table"
# Parameters that filters do not reset.
LAYOUT_PARAMETERS = ("sort", "columns", "per_page")
# Parameters that are not filters.
OTHER_PARAMETERS = frozenset((*LAYOUT_PARAMETERS, *PLACE, ZONE, "export"))


def _filter_of(name: str) -> str:
    """Return the filter that a parameter belongs to: a range of dates has two parameters."""
    return name.removesuffix("_after").removesuffix("_before")


def _chip_label(label: str, suffix: str) -> str:
    """Return the label of an active filter; a range of dates has one for each end."""
    if suffix == "_after":
        return gettext("%(label)s after") % {"label": label}
    return gettext("%(label)s before") % {"label": label} if suffix == "_before" else label


def _label_of(form: Any, name: str) -> str:
    return form.fields[name].label or name.replace("_", " ")


class Header(NamedTuple):
    """The heading of a column: its CSS class, its order, and the URL that orders by it."""

    text: str
    css_class: str
    direction: str
    url: str


class ListPage(AssetKindMixin, Page):
    """Lists one kind of row.

    `?q=` searches, and the parameters of the filter set filter. `sort`, `page`, `per_page` and
    `columns` control what is shown. `export=csv|json` returns all matching rows as a file.
    """

    template_name = "components/list.html"
    table_class: ClassVar[type[AssetTable]]
    filterset_class: ClassVar[type]
    # What an empty list says below its title.
    empty_hint: ClassVar["StrOrPromise"] = ""

    def rows(self) -> QuerySet:
        """Return all rows, with what the table shows of them."""
        return self.queryset.all()

    def count_all(self) -> RowCount:
        """Return the number of all rows."""
        return count_rows(self.rows())

    def get_title(self) -> str:
        return super().get_title() or capfirst(str(self.noun_plural))

    def crumbs(self) -> Sequence[Crumb]:
        return ()

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.filterset = self.filterset_class(request.GET, queryset=self.rows(), request=request)
        rows = self.filterset.qs
        if (wanted := request.GET.get("export")) in ("csv", "json"):
            if self.ignored:
                # A file cannot show that a filter was ignored.
                raise BadRequest(" ".join(message for message, _ in self.ignored))
            return self.export(rows, wanted)
        response = super().get(request, *args, **kwargs)
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    def get_template_names(self) -> list[str]:
        # A script that filters replaces the results only.
        if self.request.headers.get("HX-Target") == RESULTS:
            return ["components/_results.html"]
        return super().get_template_names()

    # --- What is seen ---------------------------------------------------------------------------

    @property
    def choices(self) -> dict[str, Any]:
        """The user's preferences for this list: columns and rows per page."""
        return getattr(self.request.user, "preferences", {}).get(f"list:{self.list_url}", {})

    def columns(self) -> list[str]:
        """Return the columns to show: those of the URL, the user's, or all but the hidden ones."""
        known = list(self.table_class.base_columns)
        asked = self.request.GET.get("columns", "").split(",")
        wanted = [name for name in asked if name in known] or self.choices.get("columns")
        if wanted:
            return [name for name in known if name in wanted]
        return [name for name in known if name not in self.table_class.hidden_columns]

    def per_page(self) -> int:
        asked = str(self.request.GET.get("per_page") or self.choices.get("per_page", ""))
        return int(asked) if asked in map(str, PAGE_SIZES) else PAGE_SIZES[0]

    def make_table(self, rows: Any, **options: Any) -> AssetTable:
        columns = self.columns()
        hidden = [name for name in self.table_class.base_columns if name not in columns]
        known = self.table_class.base_columns
        # Each once: databases limit the number of terms.
        asked = dict.fromkeys(self.request.GET.getlist("sort"))
        if order := [name for name in asked if name.removeprefix("-") in known]:
            options["order_by"] = order
        if isinstance(rows, list):
            # The rows are in order already.
            options["order_by"] = ()
        table = self.table_class(rows, exclude=hidden, **options)
        # Set afterwards, or the table would read the page and its size from the URL itself.
        table.request = self.request
        # Some columns depend on the user.
        table.viewer = self.request.user
        return table

    def part(self, rows: QuerySet) -> Part:
        """Return the page of rows that the URL names, or the last one."""
        counted = count_rows(rows) if self.chips else self.count_all()
        return part_of(self.listing(rows), counted, self.per_page(), self.request.GET)

    def listing(self, rows: QuerySet) -> Listing:
        return Listing(rows)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        table = self.make_table(self.filterset.qs)
        part = self.part(table.data.data)
        table.show(part)
        shown = self.columns()
        columns = [
            (name, column.verbose_name or name.replace("_", " ").capitalize(), name in shown)
            for name, column in self.table_class.base_columns.items()
        ]
        return super().get_context_data(
            table=table,
            part=part,
            headers=self.headers(table),
            filter_fields=fields_of(self.filterset.form),
            chips=self.chips,
            ignored=self.ignored,
            columns=columns,
            layout_parameters=[
                (name, self.request.GET[name])
                for name in LAYOUT_PARAMETERS
                if name in self.request.GET
            ],
            links=self.links(part),
            page_sizes=PAGE_SIZES,
            per_page=self.per_page(),
            # An empty table says something else than filters without results.
            nothing_yet=not part.records and not self.chips,
            **kwargs,
        )

    def headers(self, table: AssetTable) -> list[Header]:
        """Return the heading of each column."""
        found = []
        for column in table.columns:
            by = column.order_by_alias
            url = self.query(sort=str(by.next)) if column.orderable else ""
            css_class = column.attrs["th"].get("class") or ""
            direction = ""
            if column.is_ordered:
                direction = "descending" if by.is_descending else "ascending"
            found.append(Header(str(column.header), css_class, direction, url))
        return found

    def query(self, *without: str, **changed: str) -> str:
        """Return the query string of this list with other parameters, on the first page."""
        query = self.request.GET.copy()
        for name in (*PLACE, *without, *changed):
            query.pop(name, None)
        query.update(changed)
        return f"?{query.urlencode()}"

    def links(self, part: Part) -> dict[str, str]:
        """Return the URLs of the pages around this one, of exports, and without layout choices."""
        around = {name: getattr(part, name) for name in ("first", "previous", "next", "last")}
        return {
            **{name: self.query(**to) for name, to in around.items() if to is not None},
            "csv": self.query(export="csv"),
            "json": self.query(export="json"),
            "usual": self.query("columns", "per_page"),
        }

    @cached_property
    def chips(self) -> list[tuple[str, str, str]]:
        """The label, the value and the query string without it, of every active filter."""
        found = []
        form = self.filterset.form
        for name, value in self.request.GET.items():
            base = _filter_of(name)
            if value and base in form.fields and base not in form.errors and name != ZONE:
                label = _chip_label(_label_of(form, base), name.removeprefix(base))
                found.append((label, self.display_value(base, value), self.query(name)[1:]))
        return found

    @cached_property
    def ignored(self) -> list[tuple[str, str]]:
        """A message about each parameter that filters nothing, and the query without it."""
        form = self.filterset.form
        found = []
        for name, value in self.request.GET.items():
            base = _filter_of(name)
            # Some users lack some of the filters.
            if not {name, base} & {*self.filterset_class.base_filters, *OTHER_PARAMETERS}:
                message = gettext('The filter "%(name)s" is ignored: this list has no such filter.')
                message %= {"name": cut(name, 40)}
            elif base in form.errors:
                label = _label_of(form, base)
                reason = " ".join(map(str, form.errors[base]))
                message = gettext('%(label)s "%(value)s" is ignored: %(reason)s')
                message %= {"label": label, "value": cut(value, 40), "reason": reason}
            else:
                continue
            found.append((message, self.query(name)))
        return found

    def display_value(self, name: str, value: str) -> str:
        if shown := getattr(self.filterset.filters.get(name), "shown", None):
            return shown(value)
        # As a list: choices that are queried have no length.
        choices = list(getattr(self.filterset.form.fields[name], "choices", ()))
        return str(dict(choices).get(value, value))

    def export(self, rows: QuerySet, kind: str) -> StreamingHttpResponse:
        """Return all rows as a file, streamed a few hundred at a time."""
        ordered = self.make_table(rows).data.data
        lines, mime = {
            "csv": (csv_lines, "text/csv; charset=utf-8"),
            "json": (json_lines, "application/json"),
        }[kind]
        body = lines(ordered, self.make_table)
        response = StreamingHttpResponse(body, content_type=mime)
        response["Content-Disposition"] = f'attachment; filename="{self.list_url}.{kind}"'
        response["X-Content-Type-Options"] = "nosniff"
        return response
