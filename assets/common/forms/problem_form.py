"""The form that shows problems of `registration` beside its fields."""

import re
from dataclasses import fields
from functools import cached_property
from typing import Any, ClassVar, Protocol, runtime_checkable

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import ngettext

from ..errors import Problem

# Enough to correct a spec; a page of 10,000 messages helps no one.
MAX_MESSAGES = 100


def more_problems_message(more: int) -> str:
    """Return what a form says of the problems beyond `MAX_MESSAGES`."""
    return ngettext(
        "%(count)s more problem is not listed. Fix the listed ones first.",
        "%(count)s more problems are not listed. Fix the listed ones first.",
        more,
    ) % {"count": f"{more:,}"}


@runtime_checkable
class ActorBoundField(Protocol):
    """A form field whose choices depend on the user who acts."""

    def bind_actor(self, actor: Any) -> None: ...


class ProblemForm(forms.Form):
    """A form that shows problems of `registration` beside its fields."""

    # The dataclass of what the form describes, whose fields have the names of the form's.
    spec_class: ClassVar[type]
    # This form's names for the fields that specs name otherwise.
    field_aliases: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        for field in self.fields.values():
            if isinstance(field, ActorBoundField):
                field.bind_actor(actor)

    def make_spec(self, values: dict[str, Any]) -> Any:
        """Return the spec. `values` lacks the fields that could not be read."""
        names = {field.name for field in fields(self.spec_class)}
        return self.spec_class(**{name: values[name] for name in names & values.keys()})

    @cached_property
    def unreadable(self) -> set[str]:
        """The fields whose values could not be read; asked before any problem is added."""
        return set(self.errors)

    def add_problem_at(self, path: str, problem: Problem) -> None:
        """Add the problem to the field that `path` begins with, or to the form as a whole.

        A field that could not be read shows that error only: no rule has seen its value.
        """
        first = re.split(r"[.\[]", path, maxsplit=1)[0]
        name = self.field_aliases.get(first, first)
        is_field = name in self.fields
        if is_field and name in self.unreadable:
            return
        # The path names an item of a list, or a field that this form does not have.
        message = f"{path}: {problem.sentence}" if "[" in path or path and not is_field else ""
        error = ValidationError(message or problem.sentence, code=problem.code.label)
        self.add_error(name if is_field else None, error)
