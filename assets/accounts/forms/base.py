"""The base of forms that write accounts."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from ...common.forms.layouts import CrispyLayoutMixin


class WriterForm(CrispyLayoutMixin, forms.Form):
    """A form that shows what `check` refuses at its fields, and writes by `save`.

    Args:
        actor: the user who acts.
        asset: the row that the form changes, if it changes one.
    """

    # This form's names for the fields that writers name otherwise.
    field_aliases: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, actor: Any, asset: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.asset = actor, asset

    def check(self, values: dict[str, Any]) -> None:
        """Return nothing if the writers accept the cleaned values; raise ValidationError if not."""
        raise NotImplementedError

    def save(self) -> Any:
        """Write the cleaned values; return the row."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.check(values)
            except ValidationError as error:
                self.show(error)
        return values

    def show(self, error: ValidationError) -> None:
        """Show the error at the fields that it names, or above the form."""
        keyed = error.error_dict if hasattr(error, "error_dict") else {}
        for key, errors in (keyed or {NON_FIELD_ERRORS: error.error_list}).items():
            name = self.field_aliases.get(key, key)
            self.add_error(name if name in self.fields else None, errors)
