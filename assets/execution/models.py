"""Job, Trial, RunPolicy and Approval."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from ..accounts.models import Organization, Runner
from ..common.db.fields import ChecksumField, ChoiceField
from ..compute.models import ComputePlan, Task
from ..compute.statuses import ErrorType
from ..datasets.models import DataSample, Dataset
from ..functions.models import Function


class Trial(models.Model):
    """A dry run: a function runs on fake data that a dataset's opener makes.

    Nothing is registered by it. The organisation's own runner runs it.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        EXECUTING = "executing", _("executing")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    key = models.UUIDField(_("key"), primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    function = models.ForeignKey(
        Function, on_delete=models.PROTECT, related_name="trials", verbose_name=_("function")
    )
    # None: the function takes no dataset.
    dataset = models.ForeignKey(
        Dataset,
        on_delete=models.PROTECT,
        null=True,
        related_name="trials",
        verbose_name=_("dataset"),
    )
    creator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    fake_samples = models.PositiveIntegerField(_("number of data samples"), default=1)
    creation_date = models.DateTimeField(_("creation date"), default=timezone.now)
    status = ChoiceField(_("status"), max_length=10, choices=Status, default=Status.WAITING)
    start_date = models.DateTimeField(_("start date"), null=True)
    end_date = models.DateTimeField(_("end date"), null=True)
    error_type = ChoiceField(_("error type"), max_length=20, choices=ErrorType, blank=True)
    # What it measured, by output.
    performances = models.JSONField(_("performances"), default=dict)
    # The end of what it wrote.
    logs = models.TextField(_("logs"), blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("dry run"), _("dry runs")
        ordering = ["-creation_date", "key"]
        indexes = [
            models.Index(
                fields=["organization", "creation_date"],
                condition=Q(status="waiting"),
                name="trial_can_run",
            )
        ]

    def __str__(self) -> str:
        return f"{self.function} on fake data"


def _subject(to: type[models.Model]) -> models.ForeignKey:
    return models.ForeignKey(
        to, on_delete=models.CASCADE, null=True, related_name="jobs", db_index=False
    )


# What a job can be about.
SUBJECTS = ("task", "function", "trial", "data_sample")


def _one_subject() -> Q:
    condition = Q()
    for subject in SUBJECTS:
        condition |= Q(**{f"{other}__isnull": other != subject for other in SUBJECTS})
    return condition


class Job(models.Model):
    """One attempt of a runner: at a task, at building a function, at a dry run, or at a look.

    While it is open it is a lease: the runner renews `expires_at`, and after that time another
    runner may begin a new attempt. It stays when it has ended, so that a report that is sent again
    is answered alike.
    """

    class Outcome(models.TextChoices):
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        GIVEN_BACK = "given_back", _("given back")
        LOST = "lost", _("lost")
        # The task was cancelled, or its plan.
        STOPPED = "stopped", _("stopped")

    key = models.UUIDField(_("key"), primary_key=True, default=uuid.uuid4, editable=False)
    runner = models.ForeignKey(
        Runner, on_delete=models.PROTECT, related_name="jobs", verbose_name=_("runner")
    )
    task = _subject(Task)
    function = _subject(Function)
    trial = _subject(Trial)
    # A look at the folder of a data sample at a runner.
    data_sample = _subject(DataSample)
    # How many attempts before this one were lost.
    losses = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(_("start date"))
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(_("end date"), null=True)
    outcome = ChoiceField(_("outcome"), max_length=10, choices=Outcome, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("job"), _("jobs")
        ordering = ["-claimed_at", "key"]
        constraints = [
            models.CheckConstraint(condition=_one_subject(), name="job_one_subject"),
            models.CheckConstraint(
                condition=Q(ended_at=None, outcome="") | (~Q(ended_at=None) & ~Q(outcome="")),
                name="job_ended_with_outcome",
            ),
            *(
                models.UniqueConstraint(
                    fields=[subject],
                    condition=Q(**{"ended_at": None, f"{subject}__isnull": False}),
                    name=f"job_one_open_a_{subject}",
                )
                for subject in SUBJECTS
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=Q(ended_at=None), name="job_expiring"),
            models.Index(
                fields=["task", "claimed_at"], condition=Q(task__isnull=False), name="job_of_task"
            ),
            models.Index(fields=["runner", "-claimed_at"], name="job_of_runner"),
        ]

    def __str__(self) -> str:
        return f"{self.runner}: {self.task_id or self.function_id or self.trial_id or 'look'}"


class RunPolicy(models.Model):
    """What an organisation's runners may run; without a row, everything that is permitted."""

    class Policy(models.TextChoices):
        ALL = "all", _("everything that is permitted")
        FUNCTIONS = "functions", _("only functions that we have approved")
        PLANS = "plans", _("only compute plans that we have approved")

    organization = models.OneToOneField(
        Organization,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="run_policy",
        verbose_name=_("organisation"),
    )
    policy = ChoiceField(
        _("what your runners run"), max_length=10, choices=Policy, default=Policy.ALL
    )

    class Meta:
        verbose_name, verbose_name_plural = _("run policy"), _("run policies")

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.get_policy_display()}"


class Approval(models.Model):
    """An organisation's decision about a function's code, or about a plan's tasks on its data.

    The row is the decision that stands; the audit trail has those before.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="+", verbose_name=_("organisation")
    )
    # One of the two. A decision about a function holds for its code: for its archive's checksum.
    function = models.ForeignKey(
        Function,
        on_delete=models.PROTECT,
        null=True,
        related_name="approvals",
        verbose_name=_("function"),
    )
    compute_plan = models.ForeignKey(
        ComputePlan,
        on_delete=models.PROTECT,
        null=True,
        related_name="approvals",
        verbose_name=_("compute plan"),
    )
    # The checksum of the function's archive, or the digest of the plan's tasks here.
    digest = ChecksumField()
    # A plan's tasks that are registered later need another decision.
    tasks_until = models.DateTimeField(null=True)
    approved = models.BooleanField(_("approved"))
    reason = models.CharField(_("reason"), max_length=1000, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), default=timezone.now)

    class Meta:
        verbose_name, verbose_name_plural = _("approval"), _("approvals")
        ordering = ["-decided_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(function=None) ^ Q(compute_plan=None))
                & (Q(compute_plan=None) ^ Q(tasks_until__isnull=False)),
                name="approval_of_one",
            ),
            models.UniqueConstraint(
                fields=["organization", "digest"],
                condition=Q(compute_plan=None),
                name="approval_one_of_code",
            ),
            models.UniqueConstraint(
                fields=["organization", "compute_plan"],
                condition=Q(function=None),
                name="approval_one_of_plan",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id}: {self.function or self.compute_plan}"
