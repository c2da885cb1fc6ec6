"""File fields that keep what was sent, and the forms that use them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.base import File
from django.urls import reverse

from ..common.errors import Refused
from ..common.forms.fields import UploadField
from ..common.forms.widgets import DrawnWidget
from ..common.ops.outages import OUTAGES
from ..common.parsing import as_keys
from ..common.text.reading import MAX_SHOWN, decoded
from .models import KeptFile, Upload
from .registration import forget, keep, uploads_of

# What browsers offer to choose.
ARCHIVES, TEXTS = ".zip,.tar,.tgz,.gz,.bz2,.xz", ".md,.markdown,.txt"

# What users had better know of a file before it is registered.
Advise = Callable[[File], list[str]]


class KeptFileInput(DrawnWidget, forms.FileInput):
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
    advise: Advise | None = None

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.kept: list[Upload] = []
        # A form asks for its value again and again, and what is kept meanwhile must stay.
        self._read_of: Any = None
        self._value: Any = None

    def value_from_datadict(self, data, files, name) -> Any:
        if self._read_of is not data:
            self._read_of, self._value = data, self._read(data, files, name)
        return self._value

    def _read(self, data, files, name) -> Any:
        keys = as_keys(_many(data, f"{name}-kept"))
        self.kept = uploads_of(self.actor, keys) if keys and self.actor else []
        sent = _many(files, name)
        if self.many:
            return [*map(KeptFile, self.kept), *sent]
        self.kept = [] if sent else self.kept[-1:]
        return sent[-1] if sent else KeptFile(self.kept[0]) if self.kept else None

    def close(self) -> None:
        """Close the kept files that were read."""
        for file in self._value or () if self.many else [self._value]:
            if isinstance(file, KeptFile):
                file.close()

    def advice_on(self, upload: Upload) -> list[str]:
        if self.advise is None:
            return []
        with KeptFile(upload) as file:
            return self.advise(file)

    def value_omitted_from_data(self, data, files, name) -> bool:
        return name not in files and f"{name}-kept" not in data

    def get_context(self, name, value, attrs) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        context["widget"] |= {
            "kept": [(upload, self.advice_on(upload)) for upload in self.kept],
            "max_size": settings.MAX_UPLOAD_SIZE,
            "many": self.many,
            "folders": self.folders,
            "upload_url": reverse(self.url_name) if self.url_name else "",
        }
        if self.accept:
            context["widget"]["attrs"]["accept"] = self.accept
        if self.many:
            context["widget"]["attrs"]["multiple"] = True
        return context

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
        self,
        *,
        url_name: str = "",
        accept: str = "",
        folders: bool = False,
        advise: Advise | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.widget.url_name, self.widget.accept = url_name, accept
        self.widget.folders, self.widget.advise = folders, advise

    def bind_actor(self, actor: Any) -> None:
        """Look for kept files among the actor's own."""
        self.widget.actor = actor


class KeptFilesField(KeptFileField):
    """Any number of files: a list."""

    widget = KeptFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        one: Callable[..., Any] = super().clean
        return [one(file, initial) for file in data or () if file]


def text_advice(file: File) -> list[str]:
    """Say so when a file that people are meant to read is no text."""
    file.seek(0)
    start = file.read(MAX_SHOWN)
    file.seek(0)
    if decoded(start, cut=len(start) == MAX_SHOWN) is None:
        return [
            "This is no UTF-8 text, so nobody can read it here. "
            "Save it as UTF-8, then choose the file again."
        ]
    return []


class KeepsUploads(forms.Form):
    """Mixin of forms with such fields."""

    def file_widgets(self) -> dict[str, KeptFileInput]:
        return {
            name: field.widget
            for name, field in self.fields.items()
            if isinstance(field.widget, KeptFileInput)
        }

    def close_uploads(self) -> None:
        """Close the kept files that the form has read."""
        for widget in self.file_widgets().values():
            widget.close()

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
            with suppress(Refused, *OUTAGES):
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
