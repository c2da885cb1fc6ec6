"""Forms of specs: they read plain values, ask `registration` for problems and show them in place.

No rule is written in a form. `is_valid()` runs every rule, the set-based ones included, so that
`save()` can only fail on what has changed in between. Pages and the admin use the same forms.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from ..errors import Problem
from .formsets import MAX_ROWS, RowForm, RowFormSet, row_formset
from .problem_form import MAX_MESSAGES, ProblemForm, more_problems_message


class SpecForm(ProblemForm):
    """A form that builds a spec, checks it and registers it for its actor.

    Args:
        actor: the user who acts.
        asset: the registered asset, for forms of updates.
    """

    # The lists of the spec: the form of a row, by the spec's name for the list.
    row_forms: ClassVar[dict[str, type[RowForm]]] = {}
    spec: Any
    # What keeps the spec from being registered, once it was checked.
    problems: Sequence[Problem] = ()

    def __init__(self, *args: Any, asset: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asset = asset
        self.formsets: dict[str, RowFormSet] = self.make_formsets()

    def make_formsets(self) -> dict[str, RowFormSet]:
        """Return the formsets of the lists, bound to the form's data."""
        return {name: self._formset(name, row_form) for name, row_form in self.row_forms.items()}

    def _formset(self, name: str, row_form: type[RowForm]) -> Any:
        initial = None if self.is_bound else self.initial.get(name)
        formset = row_formset(row_form, extra=0 if initial else 1)(
            self.data if self.is_bound else None,
            prefix=self.add_prefix(name),
            initial=initial and initial[:MAX_ROWS],
            form_kwargs={"actor": self.actor},
        )
        if initial and len(initial) > MAX_ROWS:
            message = _(
                "Only the first %(limit)d of %(count)s are shown, the most that a form takes. "
                "Use the SDK or the API to register all of them."
            )
            counts = {"limit": MAX_ROWS, "count": f"{len(initial):,}"}
            formset.non_form_errors().append(message % counts)
        return formset

    def check(self) -> Iterable[Problem]:
        """Return every problem that keeps `self.spec` from being registered."""
        raise NotImplementedError

    def save(self) -> Any:
        """Register `self.spec` and return what was registered.

        Raises:
            Refused: something has changed since `self.spec` was checked.
        """
        raise NotImplementedError

    def is_valid(self) -> bool:
        return super().is_valid() and all(formset.is_valid() for formset in self.formsets.values())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for formset in self.formsets.values():
            formset.is_valid()  # cleans its forms
        self.spec = self.make_spec(values)
        self.problems = problems = list(self.check())
        for problem in problems[:MAX_MESSAGES]:
            self.add_problem(problem)
        if more := len(problems[MAX_MESSAGES:]):
            self.add_error(None, more_problems_message(more))
        return values

    def add_problem(self, problem: Problem) -> None:
        """Add the problem to the field or row that its path names, or to the form as a whole."""
        for name, formset in self.formsets.items():
            if problem.field == name or problem.field.startswith((f"{name}.", f"{name}[")):
                formset.add_problem_at(problem.field.removeprefix(name), problem)
                return
        self.add_problem_at(problem.field, problem)
