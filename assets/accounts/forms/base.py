"""The base of forms that write accounts."""

from collections.abc import Callable
from copy import copy
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import transaction

from ...common.forms.layouts import CrispyLayoutMixin


class WriterForm(CrispyLayoutMixin, forms.Form):
    """A form whose `write` calls the writers that have the rules.

    `is_valid()` rehearses it in a transaction that is undone, so that `save()` meets nothing new.

    Args:
        actor: the user who acts.
        asset: the row that is changed, for forms that change one.
    """

    # What this form calls the fields that errors name otherwise.
    field_aliases: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, actor: Any, asset: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor, self.asset = actor, asset

    def write(self, row: Any) -> Any:
        """Write what `cleaned_data` says, to `row` if one is changed; return the row."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors:
            # The rehearsal changes a copy: the page still shows the row as it is.
            self._show_errors_of(lambda: self.write(copy(self.asset)))
        return values

    def _show_errors_of(self, write: Callable[[], Any]) -> None:
        try:
            with transaction.atomic():
                write()
                transaction.set_rollback(True)
        except ValidationError as error:
            self.show(error)

    def show(self, error: ValidationError) -> None:
        """Show what the writers refuse at the fields that it is about, or above the form."""
        keyed = error.error_dict if hasattr(error, "error_dict") else {}
        for key, errors in (keyed or {NON_FIELD_ERRORS: error.error_list}).items():
            name = self.field_aliases.get(key, key)
            self.add_error(name if name in self.fields else None, errors)

    def save(self) -> Any:
        with transaction.atomic():
            return self.write(self.asset)
