"""Large uploads while they are received: in temporary files that vanish with the process."""

import tempfile
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class UnnamedUpload(UploadedFile):
    """An upload in a temporary file without a name, which the system deletes with the process."""


class UnnamedUploadHandler(TemporaryFileUploadHandler):
    """Writes uploads that are too large for memory to unnamed temporary files."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super(TemporaryFileUploadHandler, self).new_file(*args, **kwargs)
        self.file: Any = UnnamedUpload(
            tempfile.TemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR),  # noqa: SIM115  the request closes it
            self.file_name,
            self.content_type,
            0,
            self.charset,
            self.content_type_extra,
        )

    def upload_interrupted(self) -> None:
        if hasattr(self, "file"):
            self.file.close()
