"""Fields of the admin that pick rows by what is typed."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import Model

from ..forms.fields import asset_label
from ..parsing import as_key


class Autocomplete(AutocompleteJsonView):
    """Answers with the rows that match what is typed, named as the other pages name them."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        label = self.model_admin.autocomplete_label(obj)  # type: ignore[attr-defined]
        return {**super().serialize_result(obj, to_field_name), "text": label}


class KeySelect(AutocompleteSelect):
    """Picks a row by its name where the form's field takes its key.

    Args:
        models: the kinds that the key may belong to.
        url: where to search for rows, unless it is the search of the foreign key `field`.
    """

    def __init__(
        self, field: Any, admin_site: Any, *, models: Sequence[type[Model]], url: str = ""
    ) -> None:
        super().__init__(field, admin_site)
        self.models, self.url = models, url

    def get_url(self) -> str:
        return self.url or super().get_url()

    def optgroups(self, name: str, value: Sequence[str], attrs: Any = None) -> Any:
        labels = {"": "", **{key: self.label_of(key) for key in value if key}}
        options = [
            self.create_option(name, key, label, key in value, index)
            for index, (key, label) in enumerate(labels.items())
        ]
        return [(None, options, 0)]

    def label_of(self, key: str) -> str:
        pk = as_key(key)
        rows = (model._default_manager.filter(pk=pk).first() for model in self.models if pk)
        return next((asset_label(row) for row in rows if row), key)


def set_widget(field: Any, widget: forms.Widget) -> None:
    """Give the field of a form another widget, with the choices that the field offers."""
    widget.is_required = field.required
    if hasattr(field, "choices"):
        widget.choices = field.choices  # type: ignore[attr-defined]
    field.widget = widget
