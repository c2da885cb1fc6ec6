"""Large uploads on their way in: on the disk, in files that end with their process."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class NamelessUpload(UploadedFile):
    """A file among the temporary ones that has no name: it is gone with its process, if killed."""


class NamelessUploadHandler(TemporaryFileUploadHandler):
    """Writes what does not fit into memory to such a file."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super(TemporaryFileUploadHandler, self).new_file(*args, **kwargs)
        self.file: Any = NamelessUpload(
            tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR),  # noqa: SIM115  by the request
            self.file_name,
            self.content_type,
            0,
            self.charset,
            self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
