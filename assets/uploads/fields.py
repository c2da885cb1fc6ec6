"""File fields that stage what was sent until the form is valid, and the forms that use them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.base import File
from django.urls import reverse
from django.utils.translation import gettext as _

from ..common.errors import Refused
from ..common.forms.fields import UploadField
from ..common.forms.widgets import DrawnWidget
from ..common.ops.outages import OUTAGES
from ..common.parsing import as_keys
from ..common.text.reading import MAX_SHOWN, decoded
from .models import StagedFile, Upload
from .registration import discard, stage, uploads_of

# What browsers offer to choose.
ARCHIVES, TEXTS = ".zip,.tar,.tgz,.gz,.bz2,.xz", ".md,.markdown,.txt"

# Returns warnings about a file that is valid but may not be what its user wants to register.
Advise = Callable[[File], list[str]]


class StagedFileInput(DrawnWidget, forms.FileInput):
    """A file input with a list of the files that are staged already.

    Without scripts, each staged file has a check box: unticked, it is left out.
    """

    template_name = "uploads/file_input.html"
    many = False
    actor: Any = None
    # The view that stages and checks one file before the form is sent.
    url_name = ""
    accept = ""
    folders = False
    advise: Advise | None = None

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.uploads: list[Upload] = []
        # A form reads its value more than once; files that were staged in between must stay.
        self._read_of: Any = None
        self._value: Any = None

    def value_from_datadict(self, data, files, name) -> Any:
        if self._read_of is not data:
            self._read_of, self._value = data, self._read(data, files, name)
        return self._value

    def _read(self, data, files, name) -> Any:
        keys = as_keys(_many(data, f"{name}-staged"))
        self.uploads = uploads_of(self.actor, keys) if keys and self.actor else []
        sent = _many(files, name)
        if self.many:
            return [*map(StagedFile, self.uploads), *sent]
        self.uploads = [] if sent else self.uploads[-1:]
        return sent[-1] if sent else StagedFile(self.uploads[0]) if self.uploads else None

    def close(self) -> None:
        """Close the staged files that were read."""
        for file in self._value or () if self.many else [self._value]:
            if isinstance(file, StagedFile):
                file.close()

    def advice_on(self, upload: Upload) -> list[str]:
        if self.advise is None:
            return []
        with StagedFile(upload) as file:
            return self.advise(file)

    def value_omitted_from_data(self, data, files, name) -> bool:
        return name not in files and f"{name}-staged" not in data

    def get_context(self, name, value, attrs) -> dict[str, Any]:
        context = super().get_context(name, None, attrs)
        context["widget"] |= {
            "uploads": [(upload, self.advice_on(upload)) for upload in self.uploads],
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
        # A browser would ask again for a file that is staged already.
        return False


class StagedFilesInput(StagedFileInput):
    allow_multiple_selected = True
    many = True


def _many(data: Any, name: str) -> list[Any]:
    """Return every value of a field; `data` may also be a plain dict."""
    if hasattr(data, "getlist"):
        return [value for value in data.getlist(name) if value]
    value = data.get(name) or []
    return list(value) if isinstance(value, list | tuple) else [value]


class StagedFileField(UploadField):
    """One file: sent with the form, or staged before."""

    widget = StagedFileInput

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
        """Accept staged files of this user only."""
        self.widget.actor = actor


class StagedFilesField(StagedFileField):
    """Any number of files, as a list."""

    widget = StagedFilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        one: Callable[..., Any] = super().clean
        return [one(file, initial) for file in data or () if file]


def text_advice(file: File) -> list[str]:
    """Return a warning if a file that is shown on pages is not UTF-8 text."""
    file.seek(0)
    start = file.read(MAX_SHOWN)
    file.seek(0)
    if decoded(start, cut=len(start) == MAX_SHOWN) is None:
        return [
            _(
                "This file is not UTF-8 text, so its page cannot show it. "
                "Save it as UTF-8, then choose the file again."
            )
        ]
    return []


class StagedUploadsMixin(forms.Form):
    """Mixin of forms with staged files."""

    def file_widgets(self) -> dict[str, StagedFileInput]:
        return {
            name: field.widget
            for name, field in self.fields.items()
            if isinstance(field.widget, StagedFileInput)
        }

    def close_uploads(self) -> None:
        """Close the staged files that the form has read."""
        for widget in self.file_widgets().values():
            widget.close()

    def stage_uploads(self) -> None:
        """Stage the files that were sent with the form, except those with errors of their own."""
        for name, widget in self.file_widgets().items():
            faulty = self.faulty_files(name)
            sent = _many(self.files, self.add_prefix(name))
            if not widget.many:
                sent = sent[-1:]
            fine = [file for file in sent if file.size and file not in faulty]
            widget.uploads = [upload for upload in widget.uploads if upload not in faulty]
            # The user chooses again what cannot be staged; the form shows its own errors.
            with suppress(Refused, *OUTAGES):
                widget.uploads += [stage(self.actor, file) for file in fine]

    def faulty_files(self, name: str) -> list[File | Upload]:
        """Return the files of a field that have errors: all of them, unless a form knows better."""
        if name not in self.errors:
            return []
        return [*_many(self.files, self.add_prefix(name)), *self.fields[name].widget.uploads]

    def discard_uploads(self) -> None:
        """Delete the uploads of a form that was registered."""
        for widget in self.file_widgets().values():
            discard(widget.uploads)
            widget.uploads = []
