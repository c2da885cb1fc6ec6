"""Model, Performance and FailureReport."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from ..common.db.fields import AssetFileField, ChecksumField
from ..common.db.models import listing_index, owner_field
from ..common.kinds import AssetKind
from ..compute.models import TaskOutput
from ..compute.statuses import ErrorType
from ..permissions.models import PermittedAsset


class Model(PermittedAsset):
    """A file that a task made. Once disabled (a transient output that was removed) it has none."""

    asset_kind = AssetKind.MODEL

    owner = owner_field(db_index=False)
    output = models.ForeignKey(TaskOutput, on_delete=models.PROTECT, related_name="models")
    # The output's task, as its own column: it is what models are listed and filtered by.
    task = models.ForeignKey("assets.Task", on_delete=models.PROTECT, related_name="models")
    file = AssetFileField(blank=True)
    file_checksum = ChecksumField(blank=True)
    file_size = models.BigIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["creation_date", "key"], name="model_creation"),
            listing_index("model", "owner"),
        ]


class Performance(models.Model):
    """A number that a task measured; at most one per output."""

    output = models.OneToOneField(TaskOutput, on_delete=models.PROTECT, related_name="performance")
    value = models.FloatField()
    creation_date = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["creation_date", "id"], name="performance_creation")]

    def __str__(self) -> str:
        return f"{self.output.identifier}: {self.value}"


class FailureReport(models.Model):
    """Why a task, or the building of a function, failed."""

    asset_kind = AssetKind.FAILURE_REPORT

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.OneToOneField(
        "assets.Task", on_delete=models.PROTECT, null=True, related_name="failure"
    )
    function = models.OneToOneField(
        "assets.Function", on_delete=models.PROTECT, null=True, related_name="failure"
    )
    error_type = models.CharField(max_length=20, choices=ErrorType)
    logs = AssetFileField(blank=True)
    logs_checksum = ChecksumField(blank=True)
    logs_size = models.BigIntegerField(default=0)
    creation_date = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(task=None) ^ Q(function=None), name="failurereport_of_one"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_error_type_display()}: {self.task_id or self.function_id}"

    @property
    def owner_id(self) -> str:
        """Return who decides about the logs: the function's owner, or who has the task's data."""
        if self.function is not None:
            return self.function.owner_id
        assert self.task is not None  # noqa: S101  a report is about one of the two
        return self.task.worker_id
