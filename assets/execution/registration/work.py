"""What the kinds of work have in common: how jobs begin, end and are lost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID

from django.core.files.base import File
from django.db.models import Exists, OuterRef, QuerySet

from ...accounts.models import Runner
from ...compute.statuses import ErrorType
from ..models import Job


@dataclass(frozen=True, slots=True)
class Report:
    """What a runner says when its work is done."""

    performances: Mapping[str, float] = field(default_factory=dict)
    # Microseconds by step.
    steps: Mapping[str, int] = field(default_factory=dict)
    # Of a dry run.
    logs: str = ""
    # Of a look: what was found of each data sample.
    samples: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """What a runner says when its work failed; a failure of the platform has no logs."""

    error_type: ErrorType
    logs: File | None
    steps: Mapping[str, int] = field(default_factory=dict)


class Work:
    """A kind of work.

    Attributes:
        kind: its word in the API.
        subject: the column of `Job` that names what its jobs are about.
        running: the lookups of jobs whose subject has neither ended nor been cancelled.
        needs_data_root: whether only runners with a data root can do it.
    """

    kind: ClassVar[str]
    subject: ClassVar[str]
    running: ClassVar[dict[str, Any]]
    needs_data_root: ClassVar[bool] = False

    def waiting(self, organization: Any) -> QuerySet:
        """Return the subjects that wait for a runner of an organisation.

        Args:
            organization: its id, or a reference to the id in a query.
        """
        raise NotImplementedError

    def begin(self, runner: Runner, limit: int) -> list[Job]:
        """Return new jobs at work that waits, oldest first."""
        raise NotImplementedError

    def abandoned(self, organization: Any, now: Any) -> QuerySet:
        """Return the keys of subjects that are being worked on by no runner any more.

        Args:
            organization: as of `waiting`.
            now: the time, or an expression of the database.
        """
        raise NotImplementedError

    def finish(self, job: Job, report: Report) -> None:
        """Write what the work made, in the transaction that ends the job as done.

        Raises:
            Refused: the report is not complete, or the subject has ended.
        """
        raise NotImplementedError

    def fail(self, job: Job, failure: Failure, begin: Callable[[], object]) -> None:
        """Write that the work failed.

        Args:
            begin: ends the job, and writes its steps; called first in the transaction.

        Raises:
            Refused: the report is not complete, or the subject has ended.
        """
        raise NotImplementedError

    def report_steps(self, job: Job, steps: Mapping[str, int]) -> None:
        """Write how long the steps of the work took."""
        raise NotImplementedError

    def for_runner(self, subjects: QuerySet, runner: Runner) -> QuerySet:
        """Filter the subjects that this runner can work on; by default all."""
        return subjects

    def key_of(self, job: Job) -> UUID:
        """Return the key of what a job is about."""
        key: UUID = getattr(job, f"{self.subject}_id")
        return key

    def without_runner(self, subjects: QuerySet, now: Any) -> QuerySet:
        """Filter the subjects whose last job has ended or expired."""
        live = Job.objects.filter(
            ended_at=None, expires_at__gt=now, **{self.subject: OuterRef("pk")}
        )
        return subjects.filter(~Exists(live))
