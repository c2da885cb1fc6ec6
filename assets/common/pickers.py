"""The asset picker: one asset or several out of many, as radio buttons or check boxes.

It is the widget of a field whose choices are rows::

    function = AssetField(Function.objects.all(), widget=AssetPicker())
    datasets = OwnAssetsField(Dataset.objects.all(), widget=AssetPicker(multiple=True))

The newest rows are offered, `limit` of them, and always those that are chosen; the box above finds
the others by the fields named in `search`. It sends `<name>-search` with the form: by its button
(`action=refresh`), or with scripts while one types. Two queries a picker, however many rows.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Model, QuerySet
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict

from .filters import SearchFilter
from .parsing import as_keys

Notes = Callable[[Sequence[Any]], dict[UUID, str]]


class AssetPicker(forms.Widget):
    """Radio buttons, or check boxes when `multiple`, in a box that scrolls and can be searched.

    Args:
        multiple: may several be chosen?
        search: the fields that are searched; the key always is.
        by: what the fields are called.
        limit: how many rows are offered that are not chosen.
        notes: return what to say beside each of the rows that are shown, by key; the owner and
            the day otherwise.
        none: what not choosing any is called, where one may choose one or none.
    """

    template_name = "components/picker.html"
    use_fieldset = True

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        *,
        multiple: bool = False,
        search: Sequence[str] = ("name",),
        by: str = "name",
        limit: int = 50,
        notes: Notes | None = None,
        none: str = "none",
    ) -> None:
        super().__init__(attrs)
        self.multiple, self.limit = multiple, limit
        self.search, self.by = search, by
        self.notes, self.none = notes or owner_and_day, none
        # The field sets it: its rows, and how it calls one.
        self.choices: Any = ()
        self.term = ""

    # --- What the form sends --------------------------------------------------------------------

    def value_from_datadict(self, data: Any, files: MultiValueDict, name: str) -> Any:
        self.term = str(data.get(f"{name}-search") or "").strip()[:200]
        if not self.multiple:
            return data.get(name)
        return data.getlist(name) if hasattr(data, "getlist") else data.get(name)

    def value_omitted_from_data(self, data: Any, files: MultiValueDict, name: str) -> bool:
        # Boxes that are not ticked are not sent.
        return False

    def id_for_label(self, id_: str) -> str:
        return ""

    # --- What it shows --------------------------------------------------------------------------

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen, others, more = self._rows(value)
        notes = self.notes([*chosen, *others])
        context["widget"] |= {
            "kind": "checkbox" if self.multiple else "radio",
            "options": [
                {
                    "value": str(row.pk),
                    "label": self._label(row),
                    "note": notes.get(row.pk, ""),
                    "is_chosen": is_chosen,
                }
                for rows, is_chosen in ((chosen, True), (others, False))
                for row in rows
            ],
            "none": "" if self.multiple or self.is_required else self.none,
            "has_choice": bool(chosen),
            "more": more,
            "limit": self.limit,
            "term": self.term,
            "by": f"{self.by} or key",
        }
        return context

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def _label(self, row: Model) -> str:
        label: str = self.choices.field.label_from_instance(row)
        return label

    def _rows(self, value: Any) -> tuple[list[Model], list[Model], bool]:
        """Return the rows that are chosen, the newest others, and whether there are more."""
        rows: QuerySet | None = getattr(self.choices, "queryset", None)
        if rows is None:
            return [], [], False
        keys = set(_keys(value))
        newest = rows.order_by("-creation_date", "pk")
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
    """Return the keys in what a form or an initial value says, whichever of the two it is."""
    items = value if isinstance(value, list | tuple | set | QuerySet) else [value]
    return as_keys(str(getattr(item, "pk", item)) for item in items)


def owner_and_day(rows: Sequence[Any]) -> dict[UUID, str]:
    """Tell rows of one name apart; no query."""
    return {row.pk: f"{row.owner_id}, {row.creation_date:%Y-%m-%d}" for row in rows}
