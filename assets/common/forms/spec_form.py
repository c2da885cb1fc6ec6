"""Forms of specs: they read plain values, ask `registration` what is wrong, and say it in place.

No rule is written in a form. `is_valid()` runs every rule, the set-based ones included, so that
`save()` meets nothing new but what changed in between. Pages and the admin use the same forms.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, ClassVar, Protocol, runtime_checkable

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.forms.formsets import (
    DELETION_FIELD_NAME,
    ORDERING_FIELD_NAME,
    BaseFormSet,
    formset_factory,
)
from django.utils.text import capfirst

from ..errors import Problem
from ..text.reading import counted

# Enough to mend a spec; a page of 10,000 messages helps nobody.
MAX_MESSAGES = 100


def more_problems_message(more: int) -> str:
    """Return what a form says of the problems beyond `MAX_MESSAGES`."""
    return f"{counted(more, 'more problem')} not listed; correct these first."


@runtime_checkable
class ActorBoundField(Protocol):
    """A form field whose choices depend on who acts."""

    def offer_to(self, actor: Any) -> None: ...


class ProblemForm(forms.Form):
    """A form that shows problems of `registration` beside its fields."""

    # What this form calls the fields that problems name otherwise.
    field_aliases: ClassVar[dict[str, str]] = {}

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        for field in self.fields.values():
            if isinstance(field, ActorBoundField):
                field.offer_to(actor)

    @cached_property
    def unread(self) -> set[str]:
        """The fields that could not be read; known before the first problem is shown."""
        return set(self.errors)

    def show_at(self, path: str, problem: Problem) -> None:
        """Show the problem at the field that `path` begins with, or above the form."""
        first = re.split(r"[.\[]", path, maxsplit=1)[0]
        name = self.field_aliases.get(first, first)
        known = name in self.fields
        if known and name in self.unread:
            # What could not be read was not checked either.
            return
        # A list's item is named; that it is the field's own needs no saying.
        message = f"{path}: {problem.sentence}" if "[" in path or path and not known else ""
        error = ValidationError(message or problem.sentence, code=problem.code.label)
        self.add_error(name if known else None, error)


class RowForm(ProblemForm):
    """One row of a list in a spec, such as one input of a function."""

    def has_field(self, path: str) -> bool:
        """Is this the path of one of the row's fields, or that of the row (blank)?"""
        return not path or (path.startswith(".") and path[1:].partition(".")[0] in self.fields)

    def spec(self) -> Any:
        """Return the row as the plain value that its list is made of."""
        raise NotImplementedError

    def show_at(self, path: str, problem: Problem) -> None:
        # A row that was read in part would be told what follows from the rest.
        if not self.unread:
            super().show_at(path, problem)


class Rows:
    """Mixin of formsets: the rows that were filled in, and which of them a problem is about."""

    # What a formset has besides.
    forms: Any
    non_form_errors: Any
    is_valid: Any

    @cached_property
    def filled(self) -> list[RowForm]:
        """The rows with content, in order, once the formset was cleaned."""
        rows = [
            row
            for row in self.forms
            # A place in the order is not yet content.
            if set(row.changed_data) - {ORDERING_FIELD_NAME}
            and not row.cleaned_data.get(DELETION_FIELD_NAME)
        ]
        places = [row.cleaned_data.get(ORDERING_FIELD_NAME) for row in rows]
        last = len(rows) + max((place for place in places if place), default=0)
        order = [place or last for place in places]
        return [rows[index] for index in sorted(range(len(rows)), key=order.__getitem__)]

    def specs(self) -> list[Any]:
        return [row.spec() for row in self.filled]

    def show_at(self, path: str, problem: Problem) -> None:
        """Show a problem of the whole list (`path` is empty), of ``[3].kind`` or ``.name.kind``."""
        found = [
            (len(prefix), row, path.removeprefix(prefix))
            for prefix, row in self._prefixes
            if path.startswith(prefix) and row.has_field(path.removeprefix(prefix))
        ]
        # An identifier may itself look like a path: the longest that fits is meant.
        longest = max((length for length, _, _ in found), default=0)
        for length, row, rest in found:
            if length == longest:
                row.show_at(rest.removeprefix("."), problem)
        if not found:
            self.non_form_errors().data.append(
                ValidationError(problem.sentence, code=problem.code.label)
            )

    @cached_property
    def _prefixes(self) -> list[tuple[str, RowForm]]:
        """How paths begin, and which row they are about; known before the first is shown."""
        found = []
        for index, row in enumerate(self.filled):
            identifier = row.cleaned_data.get("identifier", "")
            starts = {f"[{index}]", f".{identifier}", f".{identifier[:100]}"}
            found += [(start, row) for start in starts]
        return found


# A row takes its time and its part of the page; larger lists are for programs.
MAX_ROWS = 100


class RowFormSet(Rows, BaseFormSet):
    """A list of rows in a form."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "too_many_forms": "A form takes at most %(num)d rows; register more of them by a program."
    }


def row_formset(row_form: type[RowForm], *, extra: int = 1) -> Any:
    """Return the formset class of such rows, with `extra` blank ones at first."""
    return formset_factory(
        row_form,
        formset=RowFormSet,
        extra=extra,
        max_num=MAX_ROWS,
        absolute_max=MAX_ROWS,
        can_delete=True,
        can_order=True,
    )


class SpecForm(ProblemForm):
    """A form that builds a spec, checks it and registers it for its actor.

    Args:
        actor: the user who acts.
        asset: the registered asset, for forms of updates.
    """

    # The lists of the spec: the form of a row, by the spec's name for the list.
    row_forms: ClassVar[dict[str, type[RowForm]]] = {}
    spec: Any
    # What stands against it, once it was checked.
    problems: Sequence[Problem] = ()

    def __init__(self, *args: Any, asset: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asset = asset
        self.rows: dict[str, Rows] = self.make_rows()

    def make_rows(self) -> dict[str, Rows]:
        """Return the formsets of the lists, bound to the form's data."""
        return {name: self._rows(name, row_form) for name, row_form in self.row_forms.items()}

    def _rows(self, name: str, row_form: type[RowForm]) -> Any:
        initial = None if self.is_bound else self.initial.get(name)
        rows = row_formset(row_form, extra=0 if initial else 1)(
            self.data if self.is_bound else None,
            prefix=self.add_prefix(name),
            initial=initial and initial[:MAX_ROWS],
            form_kwargs={"actor": self.actor},
        )
        if initial and len(initial) > MAX_ROWS:
            left_out = f"The first {MAX_ROWS} of {len(initial):,} are here: a form takes no more."
            rows.non_form_errors().append(left_out)
        return rows

    def make_spec(self, values: dict[str, Any]) -> Any:
        """Build the spec. `values` lacks the fields that could not be read."""
        raise NotImplementedError

    def check(self) -> Iterable[Problem]:
        """Return all that stands against registering `self.spec`."""
        raise NotImplementedError

    def save(self) -> Any:
        """Register `self.spec`; raise `Refused` for what has changed since it was checked."""
        raise NotImplementedError

    def is_valid(self) -> bool:
        return super().is_valid() and all(rows.is_valid() for rows in self.rows.values())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for rows in self.rows.values():
            rows.is_valid()  # reads them
        self.spec = self.make_spec(values)
        self.problems = problems = list(self.check())
        for problem in problems[:MAX_MESSAGES]:
            self.show(problem)
        if more := len(problems[MAX_MESSAGES:]):
            self.add_error(None, more_problems_message(more))
        return values

    def show(self, problem: Problem) -> None:
        """Show the problem at the field or row that its path names, or else above the form."""
        for name, rows in self.rows.items():
            if problem.field == name or problem.field.startswith((f"{name}.", f"{name}[")):
                rows.show_at(problem.field.removeprefix(name), problem)
                return
        self.show_at(problem.field, problem)


class DeferredValidationMixin:
    """Mixin of form fields whose rules are `registration`'s: only the type is read here.

    `required` marks the field for people and browsers; that it is blank is for the rules to say.
    """

    def validate(self, value: Any) -> None:
        pass

    def run_validators(self, value: Any) -> None:
        pass


class TextField(DeferredValidationMixin, forms.CharField):
    """A short text."""


class RequiredTextField(TextField):
    """A short text that people must give, where programs may leave it out."""

    def validate(self, value: Any) -> None:
        forms.Field.validate(self, value)


class KindField(DeferredValidationMixin, forms.ChoiceField):
    """One of a few words."""


class UploadField(DeferredValidationMixin, forms.FileField):
    """A file."""

    widget = forms.FileInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_empty_file=True, **kwargs)


def text_field(model: type[Model], name: str, **options: Any) -> TextField:
    """Return the field for a text column of `model`, with the column's label and help text."""
    column: Any = model._meta.get_field(name)
    return TextField(
        **{
            "label": capfirst(column.verbose_name),
            "help_text": column.help_text,
            "required": not column.blank,
            **options,
        }
    )


def flag_field(model: type[Model], name: str) -> forms.BooleanField:
    """Return the field for a true-or-false column of `model`."""
    column: Any = model._meta.get_field(name)
    return forms.BooleanField(
        label=capfirst(column.verbose_name), help_text=column.help_text, required=False
    )


def asset_label(asset: Model) -> str:
    """Return how a choice names an asset: names are not unique, keys are."""
    name, key = str(asset), str(asset.pk)
    return key if name == key else f"{name} ({key[:8]})"


class AssetField(forms.ModelChoiceField):
    """One registered asset."""

    def label_from_instance(self, obj: Model) -> str:
        return asset_label(obj)


class OwnAssetsField(forms.ModelMultipleChoiceField):
    """Assets of the actor's organisation; that none is chosen is for the rules to say."""

    def offer_to(self, actor: Any) -> None:
        assert self.queryset is not None  # noqa: S101
        self.queryset = self.queryset.filter(owner=actor.organization_id)

    def label_from_instance(self, obj: Model) -> str:
        return asset_label(obj)

    def clean(self, value: Any) -> Any:
        # An empty choice may not reach Django's own check, which has other words for it.
        return super().clean(value) if value else []


def key_field(**options: Any) -> forms.UUIDField:
    """Return the field for the key that a client may choose."""
    return forms.UUIDField(
        **{
            "label": "Key",
            "required": False,
            "help_text": "A UUID of your choice; leave it blank and it is made for you.",
            **options,
        }
    )
