"""The asset picker: chooses one asset or several out of many, as radio buttons or check boxes.

It is the widget of a field whose choices are rows::

    function = AssetField(Function.objects.all(), widget=AssetPicker())
    datasets = OwnAssetsField(Dataset.objects.all(), widget=AssetPicker(multiple=True))

It shows the chosen rows and the newest others, up to `limit`. The box above searches the fields in
`search`: it sends `<name>-search` with the form, by its button (`action=refresh`) or, with scripts,
while the user types. Each picker takes two queries, whatever the number of rows.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from ..api.filters import SearchFilter
from ..parsing import as_keys
from ..text.moments import utc_day
from .widgets import BoxesWidget

Notes = Callable[[Sequence[Any]], dict[UUID, str]]


class Picker(BoxesWidget):
    """Radio buttons, or check boxes when `multiple`, in a box that scrolls and can be searched."""

    template_name = "components/picker.html"
    # The label of the search box.
    search_label: Any = _("Search by name or key")
    # The search term.
    term = ""

    def __init__(self, attrs: Any = None, *, multiple: bool = False, none: Any = "") -> None:
        super().__init__(attrs)
        self.multiple, self.none = multiple, none

    def value_from_datadict(self, data: Any, files: MultiValueDict, name: str) -> Any:
        self.term = str(data.get(f"{name}-search") or "").strip()[:200]
        if not self.multiple:
            return data.get(name)
        return data.getlist(name) if hasattr(data, "getlist") else data.get(name)

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"] |= {
            "kind": "checkbox" if self.multiple else "radio",
            "none": "" if self.multiple or self.is_required else self.none,
            "term": self.term,
            "search_label": self.search_label,
        }
        return context


class Option(NamedTuple):
    """One row of a picker."""

    value: str
    label: str
    note: str = ""
    is_chosen: bool = False


class AssetPicker(Picker):
    """Rows to choose from.

    Args:
        multiple: whether several rows can be chosen.
        search: the fields to search, besides the key.
        search_label: the label of the search box, which names the fields.
        limit: how many rows are shown besides the chosen ones.
        notes: returns a note for each of the rows by key; by default the owner and the day.
        none: the label of the choice of no row, if a single choice is optional.
    """

    def __init__(
        self,
        attrs: Any = None,
        *,
        multiple: bool = False,
        search: Sequence[str] = ("name",),
        search_label: Any = "",
        limit: int = 50,
        notes: Notes | None = None,
        none: Any = "",
    ) -> None:
        super().__init__(attrs, multiple=multiple, none=none or _("none"))
        self.search, self.limit = search, limit
        self.search_label = search_label or self.search_label
        self.notes = notes or owner_and_day
        # Set by the field: its rows and their labels.
        self.choices: Any = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen, others, more = self._rows(value)
        notes = self.notes([*chosen, *others])
        context["widget"] |= {
            "options": [
                Option(str(row.pk), self._label(row), notes.get(row.pk, ""), is_chosen)
                for rows, is_chosen in ((chosen, True), (others, False))
                for row in rows
            ],
            "no_option": Option("", self.none, is_chosen=not chosen),
            "more": more,
            "limit": self.limit,
        }
        return context

    def _label(self, row: Model) -> str:
        label: str = self.choices.field.label_from_instance(row)
        return label

    def _rows(self, value: Any) -> tuple[list[Model], list[Model], bool]:
        """Return the chosen rows, the newest others, and whether there are more."""
        rows: QuerySet | None = getattr(self.choices, "queryset", None)
        if rows is None:
            return [], [], False
        keys = set(_keys(value))
        newest = rows.order_by("-creation_date", "-pk")
        chosen = list(newest.filter(pk__in=keys)) if keys else []
        found = newest
        if self.term:
            fields = dict.fromkeys(("key", *self.search))
            matching = SearchFilter(*fields).filter(rows.order_by(), self.term)
            found = newest.filter(pk__in=matching.values("pk"))
        taken = {row.pk for row in chosen}
        others = list(found.exclude(pk__in=taken)[: self.limit + 1])
        return chosen, others[: self.limit], len(others) > self.limit


def _keys(value: Any) -> Iterable[UUID]:
    """Return the keys in the value of a form, or in an initial value."""
    items = value if isinstance(value, list | tuple | set | QuerySet) else [value]
    return as_keys(str(getattr(item, "pk", item)) for item in items)


def owner_and_day(rows: Sequence[Any]) -> dict[UUID, str]:
    """Return notes that distinguish rows of the same name: the owner and the day; no query."""
    return {row.pk: f"{row.owner_id}, {utc_day(row.creation_date)}" for row in rows}
