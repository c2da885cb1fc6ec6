"""Form fields of specs: texts, files, choices of assets, and JSON or metadata in a text area."""

from collections.abc import Mapping
from typing import Any

import orjson
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from ..parsing import LossyJSON, json_of

# Of the 254 levels that can be written, how many are left to what holds the value.
ROOM_AROUND = 150


class DeferredValidationMixin:
    """Mixin of form fields that only read their type: `registration` has the rules.

    `required` marks the field for people and browsers; a rule reports that it is blank.
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


def key_field() -> forms.UUIDField:
    """Return the field for a key that the client may choose."""
    help_text = _("A UUID. Leave it blank to have one generated.")
    return forms.UUIDField(label=_("Key"), required=False, help_text=help_text)


# --- Choices of assets ---------------------------------------------------------------------------


def asset_label(asset: Model) -> str:
    """Return the text of a choice: the asset's name with its key, because names may repeat."""
    name, key = str(asset), str(asset.pk)
    return key if name == key else f"{name} ({key[:8]})"


class AssetField(forms.ModelChoiceField):
    """One registered asset."""

    def label_from_instance(self, obj: Model) -> str:
        return asset_label(obj)


class OwnAssetsField(forms.ModelMultipleChoiceField):
    """Assets of the actor's organisation; a rule reports that none is chosen."""

    def bind_actor(self, actor: Any) -> None:
        assert self.queryset is not None  # noqa: S101
        self.queryset = self.queryset.filter(owner=actor.organization_id)

    def label_from_instance(self, obj: Model) -> str:
        return asset_label(obj)

    def clean(self, value: Any) -> Any:
        # Django's own check would report an empty choice in other words than the rule.
        return super().clean(value) if value else []


# --- JSON and metadata ---------------------------------------------------------------------------


def read_json(text: str) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValidationError: it is not JSON, it is nested more deeply than can be written again, or an
            object has a key twice.
    """
    try:
        return json_of(text, around=ROOM_AROUND)
    except LossyJSON as error:
        raise ValidationError(str(error), code="json") from error
    except orjson.JSONDecodeError as error:
        raise ValidationError(
            _("This is not JSON: %(reason)s at line %(line)d, column %(column)d."),
            code="json",
            params={"reason": error.msg, "line": error.lineno, "column": error.colno},
        ) from error


class JSONTextField(forms.CharField):
    """JSON typed or pasted: its value, or None when blank."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return read_json(text) if text else None


def read_metadata(text: str) -> dict[str, Any]:
    """Return metadata from a JSON object, or from lines such as ``modality: MRI``.

    No rule of metadata is checked here.

    Raises:
        ValidationError: it cannot be read, or a key is given twice, so that a value would be lost.
    """
    text = text.removeprefix("\ufeff")  # the byte order mark of a file that was pasted
    if text.lstrip().startswith("{"):
        return dict(read_json(text))
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon and key:
            raise ValidationError(
                _('Line %(number)d: write "%(line)s" as "key: value".'),
                code="metadata_line",
                params={"number": number, "line": line.strip()[:100]},
            )
        if key in found:
            raise ValidationError(
                _('Line %(number)d: the key "%(key)s" is already used. Remove one of the two.'),
                code="metadata_twice",
                params={"number": number, "key": key},
            )
        if colon:
            found[key] = value
    return found


class MetadataFormField(DeferredValidationMixin, forms.CharField):
    """Metadata as text: one ``key: value`` a line, or a JSON object."""

    def __init__(self) -> None:
        super().__init__(
            label=_("Metadata"),
            required=False,
            help_text=_(
                'One "key: value" per line, or a JSON object of texts. Keys cannot contain "__".'
            ),
            widget=forms.Textarea(attrs={"rows": 4}),
        )

    def to_python(self, value: Any) -> Any:
        return read_metadata(super().to_python(value) or "")

    def prepare_value(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        lines = "\n".join(f"{key}: {item}" for key, item in value.items())
        try:
            is_same = read_metadata(lines) == value
        except ValidationError:
            is_same = False
        # Lines cannot express everything, such as a key with a colon; JSON can.
        return lines if is_same else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
