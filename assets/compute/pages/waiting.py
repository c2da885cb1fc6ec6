"""What tasks and plans wait for, in words."""

from collections.abc import Iterator

from django.utils.translation import gettext, ngettext

from ...accounts.pages.waiting import Line
from ..models import ComputePlan, Task
from ..queries.waiting import open_parents, waiting_for_runners
from ..statuses import TERMINATED, PlanStatus, TaskStatus

_WAITING = (
    TaskStatus.WAITING_FOR_BUILDER_SLOT,
    TaskStatus.WAITING_FOR_PARENT_TASKS,
    TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
)


def task_lines(task: Task) -> Iterator[Line]:
    """Yield what a task waits for, or who runs it; one query at most."""
    of_owner = {"organization": task.function.owner_id}
    of_worker = {"organization": task.worker_id}
    if task.status == TaskStatus.EXECUTING:
        yield gettext("A runner of %(organization)s runs it.") % of_worker, task.worker_id
    elif task.status == TaskStatus.BUILDING:
        text = gettext("A runner of %(organization)s builds its function.")
        yield text % of_owner, task.function.owner_id
    elif task.compute_plan.status in TERMINATED and task.status in _WAITING:
        yield gettext("It does not run, because its compute plan failed."), ""
    elif task.status == TaskStatus.WAITING_FOR_BUILDER_SLOT:
        text = gettext("It waits for a runner of %(organization)s to build its function.")
        yield text % of_owner, task.function.owner_id
    elif task.status == TaskStatus.WAITING_FOR_EXECUTOR_SLOT:
        yield gettext("It waits for a runner of %(organization)s.") % of_worker, task.worker_id
    elif task.status == TaskStatus.WAITING_FOR_PARENT_TASKS:
        count = open_parents(task.pk)
        text = ngettext("It waits for %(count)s parent.", "It waits for %(count)s parents.", count)
        yield text % {"count": count}, ""


def plan_lines(plan: ComputePlan) -> Iterator[Line]:
    """Yield what a plan's tasks wait for; one query, or none if no task waits."""
    waiting = sum(plan.counts[status] for status in _WAITING)
    if not waiting:
        return
    if plan.status in TERMINATED:
        text = ngettext(
            "%(count)s task does not run, because the plan failed.",
            "%(count)s tasks do not run, because the plan failed.",
            waiting,
        )
        yield text % {"count": f"{waiting:,}"}, ""
        return
    for tasks in waiting_for_runners(plan.pk):
        if tasks.to_build:
            text = ngettext(
                "%(count)s task waits for a runner of %(organization)s to build its function.",
                "%(count)s tasks wait for a runner of %(organization)s to build their functions.",
                tasks.number,
            )
        else:
            text = ngettext(
                "%(count)s task waits for a runner of %(organization)s.",
                "%(count)s tasks wait for a runner of %(organization)s.",
                tasks.number,
            )
        values = {"count": f"{tasks.number:,}", "organization": tasks.organization}
        yield text % values, tasks.organization
    if count := plan.waiting_parent_tasks_count:
        text = ngettext(
            "%(count)s task waits for its parents.",
            "%(count)s tasks wait for their parents.",
            count,
        )
        yield text % {"count": f"{count:,}"}, ""


def progress_text(plan: ComputePlan, remaining: str) -> str:
    """Return in a sentence or two how far a plan is.

    Args:
        remaining: how long it will take, blank if that is not known.
    """
    total, running = plan.task_count, plan.executing_count
    text = ngettext(
        "%(done)s of %(total)s task is done.", "%(done)s of %(total)s tasks are done.", total
    ) % {"done": f"{plan.done_count:,}", "total": f"{total:,}"}
    if running:
        runs = ngettext("%(count)s is executing.", "%(count)s are executing.", running)
        text += " " + runs % {"count": f"{running:,}"}
    if plan.failed_count:
        failed = ngettext("%(count)s has failed.", "%(count)s have failed.", plan.failed_count)
        text += " " + failed % {"count": f"{plan.failed_count:,}"}
    if remaining and plan.status == PlanStatus.DOING:
        text += " " + gettext("About %(time)s left.") % {"time": remaining}
    return text
