"""Jobs that look at the folders of data samples."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ...accounts.models import Runner
from ...common.errors import Code, refuse
from ...datasets.registration import samples_to_look_at, save_look
from ..models import Job
from .leases import begin_jobs
from .work import Failure, Report, Work

# Shown to the owner of a data sample when its runner failed to look.
NOT_LOOKED = "The runner failed while it looked at the folder. Read its own logs, then look again."


class LookWork(Work):
    """Data samples of the runner's organisation that stay at its runners, each looked at once."""

    kind = "look"
    subject = "data_sample"
    needs_data_root = True
    # Nothing cancels a look.
    running = {"data_sample__isnull": False}

    def waiting(self, organization: Any) -> QuerySet:
        return samples_to_look_at(organization).filter(~Exists(_open_looks()))

    def begin(self, runner: Runner, limit: int) -> list[Job]:
        keys = self.waiting(runner.organization_id).values_list("pk", flat=True)[:limit]
        return begin_jobs(runner, self.subject, dict.fromkeys(keys, 0), timezone.now())

    def abandoned(self, organization: Any, now: Any) -> QuerySet:
        expired = _open_looks().filter(expires_at__lte=now)
        waiting = samples_to_look_at(organization).filter(Exists(expired))
        return waiting.values_list("pk", flat=True)

    def finish(self, job: Job, report: Report) -> None:
        key = self.key_of(job)
        found = next((one for one in report.samples if one["key"] == key), None)
        if found is None:
            message = f'what was found of the data sample "{key}" is missing. Report it.'
            raise refuse(Code.INVALID, message, field="samples")
        save_look(key, **{name: value for name, value in found.items() if name != "key"})

    def fail(self, job: Job, failure: Failure, begin: Callable[[], object]) -> None:
        with transaction.atomic():
            begin()
            save_look(self.key_of(job), problem=NOT_LOOKED)

    def report_steps(self, job: Job, steps: Mapping[str, int]) -> None:
        """Write nothing: a look has no steps."""


LOOKS = LookWork()


def _open_looks() -> QuerySet[Job]:
    """Return the open jobs at the sample of a row, for a subquery."""
    return Job.objects.filter(data_sample=OuterRef("pk"), ended_at=None)
