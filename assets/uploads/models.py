"""Upload."""

import uuid
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from ..common.db.fields import AssetFileField, ChecksumField
from ..common.files.archives.check import mark_passed


class Upload(models.Model):
    """A file that is staged until its form is submitted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    # The name on the user's computer; the name in storage is made from the key.
    name = models.CharField(max_length=255)
    file = AssetFileField()
    file_checksum = ChecksumField()
    file_size = models.BigIntegerField()
    # The rule that its content has passed (`archives.check.mark_passed`), not to read it again.
    passed = models.CharField(max_length=30, blank=True, default="", db_default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["user", "created_at"], name="upload_user"),
            models.Index(fields=["created_at"], name="upload_created"),
        ]

    def __str__(self) -> str:
        return self.name


class StagedFile(File):
    """The file of an upload, which a form takes in place of a file that was just sent."""

    def __init__(self, upload: Upload) -> None:
        # Without super().__init__(), which needs an open file.
        self.upload = upload
        self.name, self.size, self.mode = upload.name, upload.file_size, "rb"
        mark_passed(self, upload.passed)

    @cached_property
    def file(self) -> Any:  # type: ignore[override]
        """The stored file, opened when it is first read."""
        return default_storage.open(str(self.upload.file.name))

    def close(self) -> None:
        """Close the stored file if it is open; reading on opens it again."""
        if opened := self.__dict__.pop("file", None):
            opened.close()
