"""Upload."""

import uuid

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from ..common.db.fields import AssetFileField, ChecksumField
from ..common.files.archives.check import mark_passed
from ..common.files.deferred import DeferredFile


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


class StagedFile(DeferredFile):
    """The file of an upload, which a form takes in place of a file that was just sent."""

    def __init__(self, upload: Upload) -> None:
        name = str(upload.file.name)
        super().__init__(upload.name, upload.file_size, lambda: default_storage.open(name))
        self.upload = upload
        mark_passed(self, upload.passed)
