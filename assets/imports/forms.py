"""The form that takes the zip of an import."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _, gettext_lazy

from ..common.errors import Code, Problem
from ..common.files.archives.check import mark_passed, passed_check
from ..common.files.archives.names import UnsafeArchive
from ..common.files.storage import check_upload
from ..common.forms.layouts import PageForm, Section
from ..uploads.fields import StagedFileField, StagedUploadsMixin
from ..uploads.models import StagedFile, Upload
from ..uploads.registration import stage
from .lists import NoLists, read_lists
from .sources import ZipSource

# A page waits for its answer while every row is checked.
MAX_ROWS = 10_000
_ZIP_RULE = "import 1"


def open_zip(file: File) -> ZipSource:
    """Return the source in a zip, whose safety is checked once.

    Raises:
        UnsafeArchive: it is no zip, is damaged, or cannot be unpacked safely.
    """
    return ZipSource(file, is_checked=passed_check(file) == _ZIP_RULE)


def check_zip(file: File | None) -> Iterator[Problem]:
    """Yield a problem unless the file is a zip with lists, of as many rows as a page can check."""
    field = "archive"
    problems = list(check_upload(file, asset="", field=field))
    if file is None or problems:
        yield from problems
        return
    try:
        rows = len(read_lists(open_zip(file)))
    except (UnsafeArchive, NoLists) as error:
        yield Problem(Code.INVALID, str(error), field)
        return
    finally:
        file.seek(0)
    if rows > MAX_ROWS:
        message = _(
            "the lists have %(rows)s rows; the limit on this page is %(limit)s. Split them, or ask "
            "an administrator to import the folder with the command."
        )
        values = {"rows": f"{rows:,}", "limit": f"{MAX_ROWS:,}"}
        yield Problem(Code.INVALID, message % values, field)
    else:
        mark_passed(file, _ZIP_RULE)


class ImportForm(StagedUploadsMixin, PageForm):
    """Stages the zip of an import."""

    sections = (Section("", "archive"),)

    archive = StagedFileField(
        label=gettext_lazy("Zip"),
        help_text=gettext_lazy(
            "A zip of the folder: the lists datasets, functions and data_samples, as .csv or "
            ".json, and the files that they name."
        ),
        url_name="upload-import",
        accept=".zip",
    )

    def make_spec(self, values: dict[str, Any]) -> File | None:
        return values.get("archive")

    def check(self) -> Iterable[Problem]:
        return check_zip(self.spec)

    def save(self) -> Upload:
        file = self.spec
        return file.upload if isinstance(file, StagedFile) else stage(self.actor, file)

    def discard_uploads(self) -> None:
        """Keep the zip, which the next page reads."""
