"""Model fields that more than one room declares."""

from functools import cached_property

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.encoding import force_str

from .. import rules
from ..text.folding import folded, order_key


def validate_metadata(value: object) -> None:
    """Raises: ValidationError, with a message for each metadata rule that is broken."""
    problems = [problem.sentence for problem in rules.check_metadata(value, asset="metadata")]
    if problems:
        raise ValidationError(problems, code="metadata")


class MetadataField(models.JSONField):
    """Text to text, empty by default; the rules are those of `rules.check_metadata`."""

    description = "Metadata: text keys and text values"
    default_validators = [validate_metadata]

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("default", dict)
        kwargs.setdefault("blank", True)
        kwargs.setdefault(
            "help_text", 'Text keys and values, for example {"modality": "MRI"}. No "__" in a key.'
        )
        super().__init__(*args, **kwargs)


class ChoiceField(models.CharField):
    """A text from `choices`; in migrations it is Django's `CharField`.

    `get_FOO_display` looks one label up. Django's translates the labels of all choices to find it,
    which lists notice.
    """

    def contribute_to_class(self, cls, name, private_only=False):
        super().contribute_to_class(cls, name, private_only)
        if not cls._meta.abstract:
            setattr(cls, f"get_{self.name}_display", lambda instance: self._label_in(instance))

    def deconstruct(self):
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs

    def _label_in(self, instance):
        value = getattr(instance, self.attname)
        return force_str(self._labels.get(value, value), strings_only=True)

    @cached_property
    def _labels(self):
        return dict(self.flatchoices)


class ChecksumField(models.CharField):
    """A sha256 in 64 hexadecimal digits."""

    description = "sha256, 64 hexadecimal digits"
    default_validators = [RegexValidator(rules.CHECKSUM, "Must be 64 hexadecimal digits.")]

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("max_length", 64)
        super().__init__(*args, **kwargs)


class AssetFileField(models.FileField):
    """The name of a stored file, with the columns `<name>_checksum` and `<name>_size` beside it.

    Files are stored by `files.batch` before the row is inserted, never by saving the row.
    """

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("max_length", 200)
        super().__init__(*args, **kwargs)


class NameKeyField(models.TextField):
    """A text derived from another field, for searching or ordering; computed on save.

    It is compared byte by byte, also in databases with the collation of a language.
    """

    derive = staticmethod(folded)

    def __init__(self, of: str = "name", **options) -> None:
        self.of = of
        # Rows that a migration has not filled in yet match no search.
        super().__init__(**{"editable": False, "db_default": "", **options})

    def deconstruct(self):
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "of": self.of}

    def db_parameters(self, connection):
        collation = "C" if connection.vendor == "postgresql" else None
        return {**super().db_parameters(connection), "collation": collation}

    def pre_save(self, model_instance, add):
        value = self.derive(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value


class FoldedField(NameKeyField):
    """The text as searches compare it (`folding.folded`)."""


class OrderField(NameKeyField):
    """The text as lists order it (`folding.order_key`)."""

    derive = staticmethod(order_key)
