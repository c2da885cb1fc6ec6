"""File fields that keep what was sent, and the forms that use them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.template.loader import render_to_string
from django.urls import reverse

from ..common.errors import Refused
from ..common.forms import UploadField
from ..common.parsing import as_key
from .models import KeptFile, Upload
from .registration import forget, keep, uploads_of


class KeptFileInput(forms.FileInput):
    """A file input, and beside it the files that were sent before and still wait.

    Without scripts, each of those is a check box: unticked, it is left out.
    """

    template_name = "uploads/file_input.html"
    many = False
    actor: Any = None
    # The page that takes and checks a file ahead of the form.
    url_name = ""
    accept = ""
    folders = False

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.kept: list[Upload] = []

    def value_from_datadict(self, data, files, name) -> Any:
        keys = [key for key in map(as_key, _many(data, f"{name}-kept")) if key]
        self.kept = uploads_of(self.actor, keys) if keys and self.actor else []
        sent = _many(files, name)
        if self.many:
            return [*map(KeptFile, self.kept), *sent]
        if sent:
            self.kept = []
            return sent[-1]
        return KeptFile(self.kept[0]) if self.kept else None

    def value_omitted_from_data(self, data, files, name) -> bool:
        return name not in files and f"{name}-kept" not in data

    def get_context(self, name, value, attrs) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        context["widget"] |= {
            "kept": self.kept,
            "many": self.many,
            "folders": self.folders,
            "upload_url": reverse(self.url_name) if self.url_name else "",
        }
        if self.accept:
            context["widget"]["attrs"]["accept"] = self.accept
        if self.many:
            context["widget"]["attrs"]["multiple"] = True
        return context

    def render(self, name, value, attrs=None, renderer=None):
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def use_required_attribute(self, initial: Any) -> bool:
        # Browsers would ask again for a file that waits already.
        return False


class KeptFilesInput(KeptFileInput):
    allow_multiple_selected = True
    many = True


def _many(data: Any, name: str) -> list[Any]:
    """Return every value of a field, also of a plain dict, as tests and programs pass."""
    if hasattr(data, "getlist"):
        return [value for value in data.getlist(name) if value]
    value = data.get(name) or []
    return list(value) if isinstance(value, list | tuple) else [value]


class KeptFileField(UploadField):
    """One file, sent now or kept from before."""

    widget = KeptFileInput

    def __init__(
        self, *, url_name: str = "", accept: str = "", folders: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.widget.url_name, self.widget.accept = url_name, accept
        self.widget.folders = folders

    def offer_to(self, actor: Any) -> None:
        """Look for kept files among the actor's own."""
        self.widget.actor = actor


class KeptFilesField(KeptFileField):
    """Any number of files: a list."""

    widget = KeptFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        one: Callable[..., Any] = super().clean
        return [one(file, initial) for file in data or () if file]


class KeepsUploads(forms.Form):
    """Mixin of forms with such fields."""

    def file_widgets(self) -> dict[str, KeptFileInput]:
        return {
            name: field.widget
            for name, field in self.fields.items()
            if isinstance(field.widget, KeptFileInput)
        }

    def keep_uploads(self) -> None:
        """Keep the files that were sent with the form and are not at fault themselves."""
        for name, widget in self.file_widgets().items():
            faulty = self.files_at_fault(name)
            sent = _many(self.files, self.add_prefix(name))
            if not widget.many:
                sent = sent[-1:]
            fine = [file for file in sent if file.size and file not in faulty]
            widget.kept = [upload for upload in widget.kept if upload not in faulty]
            # What cannot be kept is chosen again; the form says what is wrong otherwise.
            with suppress(Refused):
                widget.kept += [keep(self.actor, file) for file in fine]

    def files_at_fault(self, name: str) -> list[File | Upload]:
        """Return the files of a field that an error is about: all of them unless a form knows."""
        if name not in self.errors:
            return []
        return [
            *_many(self.files, self.add_prefix(name)),
            *self.fields[name].widget.kept,
        ]

    def forget_uploads(self) -> None:
        """Forget the files that the form has registered."""
        for widget in self.file_widgets().values():
            forget(widget.kept)
            widget.kept = []


__all__ = ["KeepsUploads", "KeptFileField", "KeptFilesField", "UploadedFile"]
