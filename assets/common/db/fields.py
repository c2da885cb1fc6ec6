"""Model fields that more than one room declares."""

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

from .. import rules
from ..text.folding import folded, order_key


def validate_metadata(value: object) -> None:
    """Raise a ValidationError that lists every broken metadata rule."""
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


class ChecksumField(models.CharField):
    """A sha256 in 64 hexadecimal digits."""

    description = "sha256, 64 hexadecimal digits"
    default_validators = [RegexValidator(r"\A[0-9a-f]{64}\Z", "Must be 64 hexadecimal digits.")]

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("max_length", 64)
        super().__init__(*args, **kwargs)


class AssetFileField(models.FileField):
    """A stored file under a name that we chose, with `<name>_checksum` and `<name>_size` beside.

    Files reach storage through `files.storage` before the row exists, never by saving the row.
    """

    def __init__(self, *args, **kwargs) -> None:
        kwargs.setdefault("max_length", 200)
        super().__init__(*args, **kwargs)


class NameKeyField(models.TextField):
    """What the text of another field is searched or ordered by; saving the row works it out.

    Compared byte by byte, also where the database compares texts as a language does.
    """

    derive = staticmethod(folded)

    def __init__(self, of: str = "name", **options) -> None:
        self.of = of
        # Rows that a migration has not come to yet are found by nothing.
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
    """The text as it is compared when one searches (`folding.folded`)."""


class OrderField(NameKeyField):
    """What the text is ordered by (`folding.order_key`)."""

    derive = staticmethod(order_key)
