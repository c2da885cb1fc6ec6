"""ComputePlan, Task, TaskInput and TaskOutput."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ...accounts.models import Organization
from ...common.db.fields import ChecksumField, ChoiceField
from ...common.db.models import DescribedAsset, NamedAsset, listing_index, owner_field
from ...common.kinds import AssetKind
from ...datasets.models import Dataset, SampleSet
from ...functions.models import Function
from ...permissions.models import permissions_field
from ..statuses import COUNTERS, ErrorType, PlanStatus, TaskStatus


class ComputePlan(NamedAsset):
    """A group of tasks. Its status, dates and counters follow from the tasks."""

    asset_kind = AssetKind.COMPUTE_PLAN

    owner = owner_field(db_index=False)
    tag = models.CharField(
        _("tag"), max_length=100, blank=True, help_text=_("Helps you find it again.")
    )
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        editable=False,
    )
    digest = ChecksumField(editable=False)
    status = ChoiceField(
        _("status"), max_length=30, choices=PlanStatus, default=PlanStatus.CREATED, editable=False
    )
    start_date = models.DateTimeField(_("start date"), null=True, editable=False)
    end_date = models.DateTimeField(_("end date"), null=True, editable=False)
    cancelation_date = models.DateTimeField(_("cancellation date"), null=True, editable=False)
    failed_task_key = models.UUIDField(null=True, editable=False)
    task_count = models.PositiveIntegerField(default=0, editable=False)
    waiting_builder_slot_count = models.PositiveIntegerField(default=0, editable=False)
    building_count = models.PositiveIntegerField(default=0, editable=False)
    waiting_parent_tasks_count = models.PositiveIntegerField(default=0, editable=False)
    waiting_executor_slot_count = models.PositiveIntegerField(default=0, editable=False)
    executing_count = models.PositiveIntegerField(default=0, editable=False)
    done_count = models.PositiveIntegerField(default=0, editable=False)
    failed_count = models.PositiveIntegerField(default=0, editable=False)
    canceled_count = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("compute plan"), _("compute plans")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="computeplan_has_name"),
            models.CheckConstraint(
                condition=Q(status__in=PlanStatus.values), name="computeplan_status"
            ),
        ]
        indexes = [
            models.Index(fields=["creation_date", "key"], name="computeplan_creation"),
            listing_index("computeplan", "owner"),
            listing_index("computeplan", "name"),
            listing_index("computeplan", "name_order"),
            listing_index("computeplan", "tag"),
            listing_index("computeplan", "status"),
            listing_index("computeplan", "start_date"),
            listing_index("computeplan", "end_date"),
        ]

    @property
    def counts(self) -> dict[str, int]:
        """The number of the plan's tasks in each status."""
        return {status: getattr(self, column) for status, column in COUNTERS.items()}


class Task(DescribedAsset):
    """One run of a function on one worker."""

    owner = owner_field(db_index=False)
    compute_plan = models.ForeignKey(
        ComputePlan,
        on_delete=models.PROTECT,
        related_name="tasks",
        db_index=False,
        verbose_name=_("compute plan"),
    )
    function = models.ForeignKey(
        Function,
        on_delete=models.PROTECT,
        related_name="tasks",
        db_index=False,
        verbose_name=_("function"),
    )
    worker = models.ForeignKey(
        Organization,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        verbose_name=_("worker"),
    )
    rank = models.PositiveIntegerField(_("rank"), editable=False)
    tag = models.CharField(
        _("tag"), max_length=100, blank=True, help_text=_("Helps you find it again.")
    )
    status = ChoiceField(_("status"), max_length=40, choices=TaskStatus, editable=False)
    start_date = models.DateTimeField(_("start date"), null=True, editable=False)
    end_date = models.DateTimeField(_("end date"), null=True, editable=False)
    error_type = ChoiceField(
        _("error type"), max_length=20, choices=ErrorType, blank=True, editable=False
    )
    logs_permission = permissions_field(db_index=False)
    digest = ChecksumField(editable=False)

    class Meta:
        verbose_name, verbose_name_plural = _("task"), _("tasks")
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TaskStatus.values), name="task_status"),
            # Without a reason, the SDK's wait_task would wait for a failed task forever.
            models.CheckConstraint(
                condition=~Q(status=TaskStatus.FAILED) | ~Q(error_type=""),
                name="task_failed_for_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["creation_date", "key"], name="task_creation"),
            listing_index("task", "compute_plan"),
            listing_index("task", "function"),
            listing_index("task", "owner"),
            listing_index("task", "worker"),
            listing_index("task", "status"),
            listing_index("task", "rank"),
            listing_index("task", "tag"),
            listing_index("task", "start_date"),
            listing_index("task", "end_date"),
            # What runners ask for, again and again.
            models.Index(
                fields=["worker", "creation_date", "key"],
                condition=Q(status=TaskStatus.WAITING_FOR_EXECUTOR_SLOT),
                name="task_can_run",
            ),
        ]


# The columns of TaskInput of which exactly one has a value.
SOURCES = ("dataset", "sample_set", "model", "parent_task")


def _one_source() -> Q:
    condition = Q()
    for source in SOURCES:
        only = Q(**{f"{column}__isnull": column != source for column in SOURCES})
        blank = Q(parent_output_identifier="")
        condition |= only & (~blank if source == "parent_task" else blank)
    return condition


class TaskInput(models.Model):
    """A source of inputs of a task: a dataset, data samples, a model or a parent's output.

    Consecutive data samples with one identifier are one row, whose position is that of the first.
    """

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="inputs", db_index=False)
    position = models.PositiveIntegerField()
    identifier = models.CharField(_("identifier"), max_length=100)
    dataset = models.ForeignKey(
        Dataset, on_delete=models.PROTECT, null=True, related_name="task_inputs", db_index=False
    )
    sample_set = models.ForeignKey(
        SampleSet, on_delete=models.PROTECT, null=True, related_name="task_inputs", db_index=False
    )
    model = models.ForeignKey(
        "assets.Model", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    parent_task = models.ForeignKey(
        Task, on_delete=models.PROTECT, null=True, related_name="feeds", db_index=False
    )
    parent_output_identifier = models.CharField(max_length=100, blank=True)

    class Meta:
        # The version before, which may serve after `migrate`, has a view with the usual name.
        db_table = "assets_taskinputgroup"
        verbose_name, verbose_name_plural = _("input"), _("inputs")
        ordering = ["task", "position"]
        constraints = [
            models.UniqueConstraint(fields=["task", "position"], name="taskinput_one_position"),
            models.CheckConstraint(condition=_one_source(), name="taskinput_one_source"),
        ]
        indexes = [
            models.Index(
                fields=["dataset", "task"],
                condition=Q(dataset__isnull=False),
                name="taskinput_of_dataset",
            ),
            models.Index(
                fields=["sample_set", "task"],
                condition=Q(sample_set__isnull=False),
                name="taskinput_of_sample_set",
            ),
            models.Index(
                fields=["model", "task"],
                condition=Q(model__isnull=False),
                name="taskinput_of_model",
            ),
            models.Index(
                fields=["parent_task", "task"],
                condition=Q(parent_task__isnull=False),
                name="taskinput_of_parent_task",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier

    @property
    def size(self) -> int:
        """How many inputs the row stands for."""
        return self.sample_set.count if self.sample_set else 1


class TaskOutput(models.Model):
    """One output of a task, with its permissions."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="outputs", db_index=False)
    identifier = models.CharField(_("identifier"), max_length=100)
    permissions = permissions_field(db_index=False)
    transient = models.BooleanField(
        _("transient"), default=False, help_text=_("Delete the output once no task needs it.")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("output"), _("outputs")
        ordering = ["task", "id"]
        constraints = [
            models.UniqueConstraint(fields=["task", "identifier"], name="taskoutput_identifier")
        ]

    def __str__(self) -> str:
        return self.identifier
