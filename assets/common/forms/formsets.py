"""Formsets for the lists of a spec, such as the inputs of a function: a form for each row."""

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.forms.formsets import (
    DELETION_FIELD_NAME,
    ORDERING_FIELD_NAME,
    BaseFormSet,
    formset_factory,
)
from django.utils.translation import gettext_lazy as _

from ..errors import Problem
from .problem_form import ProblemForm

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# Each row takes time and space on the page; programs register longer lists.
MAX_ROWS = 100


class RowForm(ProblemForm):
    """One row of a list in a spec, such as one input of a function."""

    # The names of one row and of the list, such as "input" and "Inputs".
    item_label: ClassVar["StrOrPromise"]
    list_label: ClassVar["StrOrPromise"]

    def has_field(self, path: str) -> bool:
        """Return whether the path names one of the row's fields, or the row itself (blank)."""
        return not path or (path.startswith(".") and path[1:].partition(".")[0] in self.fields)

    def spec(self) -> Any:
        """Return the row as the plain value that its list is made of."""
        return self.make_spec(self.cleaned_data)

    def add_problem_at(self, path: str, problem: Problem) -> None:
        # The problems of a row that was read in part may follow from what is missing.
        if not self.unreadable:
            super().add_problem_at(path, problem)


class RowFormSet(BaseFormSet):
    """The formset of one list of a spec: builds the specs and shows problems at their rows."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "too_many_forms": _(
            "A form takes at most %(num)d rows. Use the SDK or the API to register more."
        )
    }

    @cached_property
    def filled_forms(self) -> list[RowForm]:
        """The rows with content, in the order that their user gave; only of a cleaned formset."""
        rows = [
            row
            for row in self.forms
            # A row that has a place in the order but nothing else is blank.
            if set(row.changed_data) - {ORDERING_FIELD_NAME}
            and not row.cleaned_data.get(DELETION_FIELD_NAME)
        ]
        places = [row.cleaned_data.get(ORDERING_FIELD_NAME) for row in rows]
        last = len(rows) + max((place for place in places if place), default=0)
        order = [place or last for place in places]
        return [rows[index] for index in sorted(range(len(rows)), key=order.__getitem__)]

    def specs(self) -> list[Any]:
        return [row.spec() for row in self.filled_forms]

    def add_problem_at(self, path: str, problem: Problem) -> None:
        """Add a problem of the whole list (`path` is empty), of ``[3].kind`` or ``.name.kind``."""
        matches = [
            (len(prefix), row, path.removeprefix(prefix))
            for prefix, row in self._prefixes
            if path.startswith(prefix) and row.has_field(path.removeprefix(prefix))
        ]
        # An identifier may itself look like a path, so the longest match counts.
        longest = max((length for length, _row, _rest in matches), default=0)
        for length, row, rest in matches:
            if length == longest:
                row.add_problem_at(rest.removeprefix("."), problem)
        if not matches:
            self.non_form_errors().data.append(
                ValidationError(problem.sentence, code=problem.code.label)
            )

    @cached_property
    def _prefixes(self) -> list[tuple[str, RowForm]]:
        """How paths begin, each with its row; computed before errors empty `cleaned_data`."""
        found = []
        for index, row in enumerate(self.filled_forms):
            identifier = row.cleaned_data.get("identifier", "")
            starts = {f"[{index}]", f".{identifier}", f".{identifier[:100]}"}
            found += [(start, row) for start in starts]
        return found


def row_formset(row_form: type[RowForm], *, extra: int = 1) -> Any:
    """Return a formset class for rows of this form, with `extra` blank ones at first."""
    return formset_factory(
        row_form,
        formset=RowFormSet,
        extra=extra,
        max_num=MAX_ROWS,
        absolute_max=MAX_ROWS,
        can_delete=True,
        can_order=True,
    )
