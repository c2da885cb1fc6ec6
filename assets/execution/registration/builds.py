"""Jobs that build functions."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ...accounts.models import Runner
from ...common.errors import Refused
from ...compute.registration import report_steps
from ...compute.registration.progress import move_function
from ...compute.registration.results import fail_function
from ...functions.models import Function, FunctionStatus
from ..models import Job
from .leases import begin_jobs
from .work import Failure, Report, Work

# A failed build has logs, so one that no runner has finished gets these.
NOT_FINISHED = (
    b"The runner stopped while it prepared the function, %d times. Look at its own logs.\n"
)


class BuildWork(Work):
    """Functions of the runner's organisation, which its runners prepare before any task runs."""

    kind = "build"
    subject = "function"
    running = {"function__status": FunctionStatus.BUILDING}

    def waiting(self, organization: Any) -> QuerySet:
        return Function.objects.filter(owner=organization, status=FunctionStatus.WAITING)

    def begin(self, runner: Runner, limit: int) -> list[Job]:
        waiting = self.waiting(runner.organization_id).order_by("creation_date", "key")
        begun: list[Job] = []
        for key in waiting.values_list("pk", flat=True)[:limit]:
            try:
                with transaction.atomic():
                    move_function(key, FunctionStatus.BUILDING, runner.agent)
                    begun += begin_jobs(runner, "function", {key: 0}, timezone.now())
            except Refused:  # another runner was faster
                continue
        return begun

    def abandoned(self, organization: Any, now: Any) -> QuerySet:
        building = Function.objects.filter(owner=organization, status=FunctionStatus.BUILDING)
        return self.without_runner(building, now).values_list("pk", flat=True)

    def finish(self, job: Job, report: Report) -> None:
        move_function(self.key_of(job), FunctionStatus.READY, job.runner.agent)

    def fail(self, job: Job, failure: Failure, begin: Callable[[], object]) -> None:
        logs = failure.logs or ContentFile(NOT_FINISHED % (job.losses + 1))
        fail_function(self.key_of(job), logs, job.runner.agent, begin=begin)

    def report_steps(self, job: Job, steps: Mapping[str, int]) -> None:
        function = Function.objects.get(pk=self.key_of(job))
        report_steps(function, steps, job.runner.agent)


BUILDS = BuildWork()
