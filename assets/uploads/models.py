"""Upload."""

import uuid

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import models
from django.utils import timezone

from ..common.fields import AssetFileField, ChecksumField


class Upload(models.Model):
    """A file that waits for the form that it belongs to."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads"
    )
    # As its user calls it; storage has a name of ours.
    name = models.CharField(max_length=255)
    file = AssetFileField()
    file_checksum = ChecksumField()
    file_size = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["user", "created_at"], name="upload_user")]

    def __str__(self) -> str:
        return self.name


class KeptFile(File):
    """The content of an upload: what a form gets in place of a file that was just sent."""

    def __init__(self, upload: Upload) -> None:
        super().__init__(default_storage.open(str(upload.file.name)), name=upload.name)
        self.upload = upload
        self.size = upload.file_size
