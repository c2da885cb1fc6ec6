"""What tasks make: Model, Performance, FailureReport and ProfilingStep."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ...common.db.fields import AssetFileField, ChecksumField, ChoiceField
from ...common.db.models import listing_index, owner_field
from ...common.kinds import AssetKind
from ...functions.models import Function
from ...permissions.models import Permissions, PermittedAsset
from ..statuses import ErrorType
from .tasks import Task, TaskOutput


class Model(PermittedAsset):
    """A file that a task made. A disabled model (a deleted transient output) has no file."""

    asset_kind = AssetKind.MODEL

    owner = owner_field(db_index=False)
    output = models.ForeignKey(
        TaskOutput, on_delete=models.PROTECT, related_name="models", verbose_name=_("output")
    )
    # The output's task again: lists of models filter by it.
    task = models.ForeignKey(
        Task, on_delete=models.PROTECT, related_name="models", verbose_name=_("task")
    )
    file = AssetFileField(blank=True)
    file_checksum = ChecksumField(blank=True)
    file_size = models.BigIntegerField(default=0)

    class Meta:
        verbose_name, verbose_name_plural = _("model"), _("models")
        indexes = [
            models.Index(fields=["creation_date", "key"], name="model_creation"),
            listing_index("model", "owner"),
        ]


class Performance(models.Model):
    """A number that a task measured; at most one per output."""

    output = models.OneToOneField(
        TaskOutput, on_delete=models.PROTECT, related_name="performance", verbose_name=_("output")
    )
    value = models.FloatField(_("value"))
    creation_date = models.DateTimeField(_("creation date"), default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("performance"), _("performances")
        indexes = [models.Index(fields=["creation_date", "id"], name="performance_creation")]

    def __str__(self) -> str:
        return f"{self.output.identifier}: {self.value}"


class FailureReport(models.Model):
    """The report of a failed task, or of a function that could not be built."""

    asset_kind = AssetKind.FAILURE_REPORT

    key = models.UUIDField(_("key"), primary_key=True, default=uuid.uuid4, editable=False)
    task = models.OneToOneField(
        Task, on_delete=models.PROTECT, null=True, related_name="failure", verbose_name=_("task")
    )
    function = models.OneToOneField(
        Function,
        on_delete=models.PROTECT,
        null=True,
        related_name="failure",
        verbose_name=_("function"),
    )
    error_type = ChoiceField(_("error type"), max_length=20, choices=ErrorType)
    logs = AssetFileField(blank=True)
    logs_checksum = ChecksumField(blank=True)
    logs_size = models.BigIntegerField(default=0)
    creation_date = models.DateTimeField(_("creation date"), default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("failure report"), _("failure reports")
        constraints = [
            models.CheckConstraint(
                condition=Q(task=None) ^ Q(function=None), name="failurereport_of_one"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_error_type_display()}: {self.task_id or self.function_id}"

    @property
    def owner_id(self) -> str:
        """The organisation that decides about the logs: the function's owner, or the worker."""
        if self.function is not None:
            return self.function.owner_id
        assert self.task is not None  # noqa: S101  a report is about one of the two
        return self.task.worker_id

    @property
    def permissions(self) -> Permissions:
        """Who can read the logs."""
        if self.function is not None:
            return self.function.permissions
        assert self.task is not None  # noqa: S101  a report is about one of the two
        return self.task.logs_permission


class ProfilingStep(models.Model):
    """How long one step of running a task, or of building a function, took."""

    task = models.ForeignKey(
        Task,
        on_delete=models.PROTECT,
        null=True,
        related_name="steps",
        db_index=False,
        verbose_name=_("task"),
    )
    function = models.ForeignKey(
        Function,
        on_delete=models.PROTECT,
        null=True,
        related_name="steps",
        db_index=False,
        verbose_name=_("function"),
    )
    step = models.CharField(_("step"), max_length=50)
    # In microseconds, as in the API.
    duration = models.BigIntegerField(_("duration"))

    class Meta:
        verbose_name, verbose_name_plural = _("step"), _("steps")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(task=None) ^ Q(function=None), name="profilingstep_of_one"
            ),
            models.CheckConstraint(condition=Q(duration__gte=0), name="profilingstep_duration"),
            models.UniqueConstraint(
                fields=["task", "step"],
                condition=Q(task__isnull=False),
                name="profilingstep_once_a_task",
            ),
            models.UniqueConstraint(
                fields=["function", "step"],
                condition=Q(function__isnull=False),
                name="profilingstep_once_a_function",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step}: {self.duration} µs"
