"""Fields of a task's form: they list what matches, and leave other values to the rules."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _, gettext_lazy

from ...common.forms.fields import AssetField, DeferredValidationMixin, asset_label
from ...common.forms.pickers import Option, Picker
from ...common.parsing import as_key
from .candidates import Group, ref_of


class AssetKeyField(DeferredValidationMixin, AssetField):
    """One asset: its key, or None."""

    def to_python(self, value: Any) -> UUID | None:
        return as_key(str(value)) if value else None


class AssetKeysField(DeferredValidationMixin, forms.ModelMultipleChoiceField):
    """Several assets: their keys."""

    def label_from_instance(self, obj: Any) -> str:
        return asset_label(obj)

    def clean(self, value: Any) -> Any:
        return [key for item in value or () if (key := as_key(str(item)))]


class WorkerField(DeferredValidationMixin, forms.ModelChoiceField):
    """An organisation: its id."""

    def to_python(self, value: Any) -> str:
        return str(value or "")


class SourcesWidget(Picker):
    """Models that an input can take, in groups."""

    template_name = "compute/_sources.html"
    search_label = gettext_lazy("Search by key, function or plan")

    def __init__(self, *, multiple: bool, none: str) -> None:
        super().__init__(multiple=multiple, none=none)
        # Returns the groups, given what is chosen and what is searched for. The form sets it.
        self.groups: Callable[[list[str], str], list[Group]] = lambda chosen, term: []

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        super().value_from_datadict(data, files, name)
        return [value for value in data.getlist(name) if value]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = list(value or ())
        groups = [
            {
                "heading": group.heading,
                "options": [
                    Option(*source, is_chosen=source.value in chosen) for source in group.sources
                ],
            }
            for group in self.groups(chosen, self.term)
        ]
        no_option = Option("", self.none, is_chosen=not chosen)
        context["widget"] |= {"groups": groups, "no_option": no_option}
        return context


class SourcesField(DeferredValidationMixin, forms.Field):
    """The sources of a model input: a list of references as in a task's JSON."""

    widget: Any

    def clean(self, value: Any) -> list[dict[str, str]]:
        refs = [ref_of(item) for item in value or ()]
        if None in refs:
            raise ValidationError(_("Choose from the list."), code="source")
        return [ref for ref in refs if ref]
