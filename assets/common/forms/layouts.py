"""Layouts of forms on pages: sections of fields, and the rows of lists."""

from collections.abc import Sequence
from typing import Any, ClassVar

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout, LayoutObject
from django.forms import BoundField
from django.forms.utils import ErrorDict, ErrorList
from django.template.loader import render_to_string
from django.utils.text import capfirst

from .spec_form import SpecForm


class Section(Fieldset):
    """Fields under a heading, with a note that says what they are for."""

    template = "components/section.html"

    def __init__(self, legend: Any, *fields: Any, note: Any = "", **kwargs: Any) -> None:
        super().__init__(legend, *fields, **kwargs)
        self.note = note


class FormsetLayout(LayoutObject):
    """The rows of one list of the spec, with buttons to add, remove and order them."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.fields: list[Any] = []

    def render(self, form: SpecForm, context: Any, template_pack: Any = None, **_: Any) -> str:
        values = {
            "rows": form.formsets[self.name],
            "name": self.name,
            "item": form.row_forms[self.name].item_label,
        }
        return render_to_string("components/rows.html", values)


class CrispyLayoutMixin:
    """Mixin of forms on pages: laid out in sections, and with a summary of their errors."""

    sections: ClassVar[Sequence[Any]] = ()

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.layout = Layout(*self.sections)
        return helper

    def all_errors(self) -> list[tuple[str, str, str]]:
        """Return (element id, label, message) of every error, for the summary above the form."""
        form: Any = self
        return [("", "", str(error)) for error in form.non_field_errors()] + _errors_of(form)


class PageForm(CrispyLayoutMixin, SpecForm):
    """Mixin of forms that our pages show; what a page needs beside what the admin does."""

    # Fields that are validated as soon as the user leaves them.
    live: ClassVar[Sequence[str]] = ()

    def enable_live_validation(self) -> None:
        """Have the page validate the `live` fields and the identifiers of rows on each change."""
        for name in self.live:
            _make_live(self[name])
        for formset in self.formsets.values():
            for row in [*formset.forms, formset.empty_form]:
                for field in row:
                    if field.name == "identifier":
                        _make_live(field)

    def get_field_by_html_name(self, html_name: str) -> BoundField | None:
        """Return the field with this name in the HTML, of the form or of a row."""
        for form in [self, *(row for formset in self.formsets.values() for row in formset.forms)]:
            for field in form:
                if field.html_name == html_name:
                    return field
        return None

    def skip_validation(self) -> None:
        """Show the values without errors, for example after a row was added."""
        self._errors = ErrorDict()
        self.cleaned_data = {}
        for formset in self.formsets.values():
            _clear_errors(formset)

    def all_errors(self) -> list[tuple[str, str, str]]:
        found = super().all_errors()
        for name, formset in self.formsets.items():
            place, row_form = f"rows-{name}", self.row_forms[name]
            whole = formset.non_form_errors()
            found += [(place, str(row_form.list_label), str(error)) for error in whole]
            for number, row in enumerate(formset.forms, 1):
                item = f"{capfirst(row_form.item_label)} {number}"
                found += [(place, item, str(error)) for error in row.non_field_errors()]
                found += [(id_, f"{item}, {label}", text) for id_, label, text in _errors_of(row)]
        return found


def _errors_of(form: Any) -> list[tuple[str, str, str]]:
    return [
        (field.id_for_label or f"div_{field.auto_id}", str(field.label), str(error))
        for field in form
        for error in field.errors
    ]


def _make_live(field: BoundField) -> None:
    block = f"#div_{field.auto_id}"
    field.field.widget.attrs |= {
        "hx-post": "",
        "hx-trigger": "change",
        "hx-target": block,
        "hx-select": block,
        "hx-swap": "outerHTML",
        "hx-vals": f'{{"live": "{field.html_name}"}}',
        "hx-sync": "this:replace",
    }


def _clear_errors(formset: Any) -> None:
    formset._errors = [{} for _form in formset.forms]
    formset._non_form_errors = ErrorList()
    for row in formset.forms:
        row._errors = ErrorDict()
        row.cleaned_data = {}
