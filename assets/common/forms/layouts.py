"""How the forms of specs are laid out on our pages: sections, and lists of rows.

The admin lays the same forms out in its own way.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset, Layout, LayoutObject
from django.forms import BoundField
from django.forms.utils import ErrorDict, ErrorList
from django.template.loader import render_to_string

from .spec_form import SpecForm


class Section(Fieldset):
    """Fields under a heading, with a sentence that says what they are for."""

    template = "components/section.html"

    def __init__(self, legend: Any, *fields: Any, note: str = "", **kwargs: Any) -> None:
        super().__init__(legend, *fields, **kwargs)
        self.note = note


class FormsetLayout(LayoutObject):
    """The rows of one list of the spec, to be added, removed and put in order."""

    def __init__(self, name: str, *, item: Any) -> None:
        self.name, self.item = name, item
        self.fields: list[Any] = []

    def render(self, form: SpecForm, context: Any, template_pack: Any = None, **_: Any) -> str:
        values = {"rows": form.formsets[self.name], "name": self.name, "item": self.item}
        return render_to_string("components/rows.html", values)


class CrispyLayoutMixin:
    """Mixin of forms that pages show: laid out in sections, and with a summary of what is wrong."""

    sections: ClassVar[Sequence[Any]] = ()

    @property
    def helper(self) -> FormHelper:
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        helper.layout = Layout(*self.sections)
        return helper

    def all_errors(self) -> list[tuple[str, str, str]]:
        """Return (id of the field, its label, what is wrong) of every error, for a summary."""
        form: Any = self
        return [("", "", str(error)) for error in form.non_field_errors()] + _errors_of(form)


class PageForm(CrispyLayoutMixin, SpecForm):
    """Mixin of forms that our pages show; what a page needs beside what the admin does."""

    # Fields that are checked as soon as one leaves them.
    live: ClassVar[Sequence[str]] = ()

    def enable_live_validation(self) -> None:
        """Have the page check the `live` fields, and every field of a row, while one edits."""
        for name in self.live:
            _make_live(self[name])
        for rows in self.formsets.values():
            for row in [*rows.forms, rows.empty_form]:  # type: ignore[attr-defined]
                for field in row:
                    if field.name == "identifier":
                        _make_live(field)

    def get_field_by_html_name(self, html_name: str) -> BoundField | None:
        """Return the field that the page knows by this name, of the form or of a row."""
        for form in [self, *(row for rows in self.formsets.values() for row in rows.forms)]:
            for field in form:
                if field.html_name == html_name:
                    return field
        return None

    def skip_validation(self) -> None:
        """Show what was typed without judging it, as after adding a row."""
        self._errors = ErrorDict()
        self.cleaned_data = {}
        for rows in self.formsets.values():
            _as_typed(rows)

    def all_errors(self) -> list[tuple[str, str, str]]:
        found = super().all_errors()
        for name, rows in self.formsets.items():
            found += [
                (f"rows-{name}", name.capitalize(), str(error)) for error in rows.non_form_errors()
            ]
            for number, row in enumerate(rows.forms, 1):
                found += [
                    (f"rows-{name}", f"{name[:-1].capitalize()} {number}", str(error))
                    for error in row.non_field_errors()
                ]
                found += [
                    (where, f"{name[:-1].capitalize()} {number}, {label}", text)
                    for where, label, text in _errors_of(row)
                ]
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


def _as_typed(rows: Any) -> None:
    rows._errors = [{} for _ in rows.forms]
    rows._non_form_errors = ErrorList()
    for row in rows.forms:
        row._errors = ErrorDict()
        row.cleaned_data = {}
