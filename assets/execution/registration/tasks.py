"""Jobs that run tasks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from ...accounts.models import Runner
from ...compute.models import Task
from ...compute.registration import report_steps
from ...compute.registration.counters import lock_one_plan
from ...compute.registration.progress import start_tasks
from ...compute.registration.results import fail_task, finish_task
from ...compute.statuses import TaskStatus
from ..models import Job
from ..queries.approvals import RUNNING, may_run
from .leases import begin_jobs
from .work import Failure, Report, Work

# How many waiting tasks are looked at to find plans that no one else has locked.
LOOKED_AT = 32


class TaskWork(Work):
    """Tasks of which the runner's organisation is the worker."""

    kind = "task"
    subject = "task"
    running = {"task__status": TaskStatus.EXECUTING}

    def begin(self, runner: Runner, limit: int) -> list[UUID]:
        begun: list[UUID] = []
        waiting = may_run(waiting_tasks(runner.organization_id), runner.organization_id)
        while len(begun) < limit:
            plans = _distinct(waiting.values_list("compute_plan_id", flat=True)[:LOOKED_AT])
            if not plans:
                break
            begun += _begin_of_one(plans, waiting, runner, limit - len(begun))
        return begun

    def abandoned(self, organization_id: str, now: datetime) -> QuerySet:
        executing = Task.objects.filter(worker=organization_id, status=TaskStatus.EXECUTING)
        return self.without_runner(executing, now).values_list("pk", flat=True)

    def finish(self, job: Job, report: Report) -> None:
        if report.steps:
            self.report_steps(job, report.steps)
        finish_task(self.key_of(job), job.runner.agent, report.performances)

    def fail(self, job: Job, failure: Failure, begin: Callable[[], object]) -> None:
        task, actor = self._task_of(job), job.runner.agent

        def begin_and_report() -> None:
            begin()
            report_steps(task, failure.steps, actor)

        fail_task(task.key, failure.error_type, failure.logs, actor, begin=begin_and_report)

    def report_steps(self, job: Job, steps: Mapping[str, int]) -> None:
        report_steps(self._task_of(job), steps, job.runner.agent)

    def _task_of(self, job: Job) -> Task:
        return Task.objects.get(pk=self.key_of(job))


TASKS = TaskWork()


def waiting_tasks(organization_id: str) -> QuerySet[Task]:
    """Return the tasks that runners of the organisation can run now, oldest first."""
    tasks = Task.objects.filter(
        worker=organization_id,
        status=TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
        compute_plan__status__in=RUNNING,
    )
    return tasks.order_by("creation_date", "key")


def _distinct(keys: QuerySet) -> list[UUID]:
    return list(dict.fromkeys(keys))


def _begin_of_one(
    plans: Sequence[UUID], waiting: QuerySet[Task], runner: Runner, limit: int
) -> list[UUID]:
    """Begin jobs at waiting tasks of one of the plans, whose lock keeps others from them."""
    with transaction.atomic():
        plan = lock_one_plan(plans)
        if plan is None:
            return []
        keys = list(waiting.filter(compute_plan=plan).values_list("pk", flat=True)[:limit])
        if not keys:
            return []
        start_tasks(plan, keys, runner.agent)
        return begin_jobs(runner, "task", dict.fromkeys(keys, 0), timezone.now())
