"""Jobs that run tasks."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from ...accounts.models import Runner
from ...common.db.compiled import Compiled
from ...compute.models import Task
from ...compute.registration import report_steps
from ...compute.registration.counters import lock_one_plan
from ...compute.registration.progress import start_tasks
from ...compute.registration.results import fail_task, finish_task
from ...compute.statuses import TaskStatus
from ...datasets.models import DataSample, SampleSetMember
from ..models import Job
from ..queries.approvals import RUNNING, Policy, may_run
from .leases import begin_jobs
from .work import Failure, Report, Work

# What a runner must know of a task.
_COLUMNS = ("key", "function_id", "rank", "compute_plan_id", "worker_id")
# Policies of workers by which all their tasks may run; without a policy, too.
UNRESTRICTED = (None, Policy.ALL)
# How many waiting tasks are looked at to find plans that no one else has locked.
LOOKED_AT = 32


class TaskWork(Work):
    """Tasks of which the runner's organisation is the worker."""

    kind = "task"
    subject = "task"
    running = {"task__status": TaskStatus.EXECUTING}

    def waiting(self, organization: Any) -> QuerySet[Task]:
        return _that_wait(worker=organization)

    def begin(self, runner: Runner, limit: int) -> list[Job]:
        begun: list[Job] = []
        while len(begun) < limit:
            first = _first_that_wait([runner.organization_id])
            is_restricted = bool(first) and _is_restricted(runner, *first[0][1:])
            if is_restricted:
                allowed = self.for_runner(_allowed(runner.organization_id), runner)
                first = list(allowed.values_list("compute_plan_id")[:LOOKED_AT])
            plans = list(dict.fromkeys(row[0] for row in first))
            if not plans:
                break
            begun += _begin_of_one(plans, is_restricted, runner, limit - len(begun))
        return begun

    def abandoned(self, organization: Any, now: Any) -> QuerySet:
        executing = Task.objects.filter(worker=organization, status=TaskStatus.EXECUTING)
        return self.without_runner(executing, now).values_list("pk", flat=True)

    def for_runner(self, subjects: QuerySet, runner: Runner) -> QuerySet:
        at_runner = SampleSetMember.objects.filter(
            data_sample__at_runner=True, sample_set__task_inputs__task=OuterRef("pk")
        )
        return subjects if runner.has_data_root else subjects.filter(~Exists(at_runner))

    def finish(self, job: Job, report: Report) -> None:
        finish_task(self.key_of(job), job.runner.agent, report.performances)

    def fail(self, job: Job, failure: Failure, begin: Callable[[], object]) -> None:
        key, actor = self.key_of(job), job.runner.agent
        fail_task(key, failure.error_type, failure.logs, actor, begin=begin)

    def report_steps(self, job: Job, steps: Mapping[str, int]) -> None:
        # Of its task, all that matters is known.
        task = Task(key=self.key_of(job), worker_id=job.runner.organization_id)
        report_steps(task, steps, job.runner.agent)


TASKS = TaskWork()


def _that_wait(**of: Any) -> QuerySet[Task]:
    """Return the tasks that can run now, oldest first."""
    waiting = Task.objects.filter(
        status=TaskStatus.WAITING_FOR_EXECUTOR_SLOT, compute_plan__status__in=RUNNING, **of
    )
    return waiting.order_by("creation_date", "key")


def _is_restricted(runner: Runner, policy: str | None, has_data_at_runners: bool) -> bool:
    """Return whether the runner may not, or cannot, run each task of its organisation."""
    return policy not in UNRESTRICTED or (has_data_at_runners and not runner.has_data_root)


def _allowed(organization_id: str) -> QuerySet[Task]:
    """Return the tasks that can run now and that their worker approves, oldest first."""
    return may_run(_that_wait(worker=organization_id), organization_id)


@Compiled
def _first_that_wait(organizations: Any) -> QuerySet:
    """The plans of the tasks that can run now.

    Each with the worker's policy, and with whether the worker has data at its runners.
    """
    waiting = _that_wait(worker_id__only=organizations)
    at_runners = DataSample.objects.filter(owner=OuterRef("worker"), at_runner=True)
    rows = waiting.values_list("compute_plan_id", "worker__run_policy__policy", Exists(at_runners))
    return rows[:LOOKED_AT]


@lru_cache(maxsize=100)
def _of_plan(limit: int) -> Compiled:
    """Return the statement that selects tasks of a worker and of a plan, which can run now."""

    def build(values: Any) -> QuerySet:
        waiting = _that_wait(worker_id__only=values[0], compute_plan_id__only=values[1])
        return waiting.values_list(*_COLUMNS)[:limit]

    return Compiled(build)


def _begin_of_one(
    plans: Sequence[UUID], is_restricted: bool, runner: Runner, limit: int
) -> list[Job]:
    """Begin jobs at waiting tasks of one of the plans, whose lock keeps others from them."""
    worker = runner.organization_id
    with transaction.atomic():
        plan = lock_one_plan(plans)
        if plan is None:
            return []
        if is_restricted:
            allowed = TASKS.for_runner(_allowed(worker).filter(compute_plan=plan), runner)
            rows = list(allowed.values_list(*_COLUMNS)[:limit])
        else:
            rows = _of_plan(limit)([worker, plan.key])
        if not rows:
            return []
        tasks = {row[0]: Task(**dict(zip(_COLUMNS, row, strict=True))) for row in rows}
        start_tasks(plan, list(tasks), runner.agent)
        begun = begin_jobs(runner, "task", dict.fromkeys(tasks, 0), timezone.now())
    for job in begun:
        job.task = tasks[TASKS.key_of(job)]
    return begun
