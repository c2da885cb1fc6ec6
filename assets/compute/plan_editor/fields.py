"""Fields of a task's form: they offer what fits, and take whatever else is typed for the rules."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from ...common.forms.fields import AssetField, DeferredValidationMixin, asset_label
from ...common.forms.pickers import Option, Picker
from ...common.parsing import as_key
from .candidates import Group, ref_of


class OfferedField(DeferredValidationMixin, AssetField):
    """One asset out of those that are offered: its key, or None."""

    def to_python(self, value: Any) -> UUID | None:
        return as_key(str(value)) if value else None


class OfferedAssetsField(DeferredValidationMixin, forms.ModelMultipleChoiceField):
    """Several of the assets that are offered: their keys."""

    def label_from_instance(self, obj: Any) -> str:
        return asset_label(obj)

    def clean(self, value: Any) -> Any:
        return [key for item in value or () if (key := as_key(str(item)))]


class WorkerField(DeferredValidationMixin, forms.ModelChoiceField):
    """An organisation: its id."""

    def to_python(self, value: Any) -> str:
        return str(value or "")


class SourcesWidget(Picker):
    """Models that may feed an input, in groups."""

    template_name = "compute/_sources.html"
    search_label = _("Search by key, function or plan")

    def __init__(self, *, multiple: bool, none: str) -> None:
        super().__init__(multiple=multiple, none=none)
        # The field sets it: what is offered beside what is chosen, for a search.
        self.groups: Callable[[list[str], str], list[Group]] = lambda chosen, term: []

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        super().value_from_datadict(data, files, name)
        return [value for value in data.getlist(name) if value]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = list(value or ())
        is_chosen = set(chosen).__contains__
        context["widget"] |= {
            "groups": [
                {
                    "heading": group.heading,
                    "options": [
                        Option(*source, is_chosen=is_chosen(source.value))
                        for source in group.sources
                    ],
                }
                for group in self.groups(chosen, self.term)
            ],
            "no_option": Option("", self.none, is_chosen=not chosen),
        }
        return context


class SourcesField(DeferredValidationMixin, forms.Field):
    """What feeds a model input: a list of references as a task's JSON has them."""

    widget: Any

    def clean(self, value: Any) -> list[dict[str, str]]:
        refs = [ref_of(item) for item in value or ()]
        if None in refs:
            raise ValidationError("Choose from the list.", code="source")
        return [ref for ref in refs if ref]
