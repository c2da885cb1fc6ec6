"""Statuses of tasks and plans: words, transitions, and how one follows from another.

Source: contract 3.7 and 4.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from ..functions.models import FunctionStatus


class TaskStatus(models.TextChoices):
    """The statuses of tasks, as the API spells them (SDK 0.51 and later)."""

    WAITING_FOR_BUILDER_SLOT = "STATUS_WAITING_FOR_BUILDER_SLOT", _("waiting for builder")
    BUILDING = "STATUS_BUILDING", _("building")
    WAITING_FOR_PARENT_TASKS = "STATUS_WAITING_FOR_PARENT_TASKS", _("waiting for parents")
    WAITING_FOR_EXECUTOR_SLOT = "STATUS_WAITING_FOR_EXECUTOR_SLOT", _("waiting for executor")
    EXECUTING = "STATUS_EXECUTING", _("executing")
    DONE = "STATUS_DONE", _("done")
    FAILED = "STATUS_FAILED", _("failed")
    CANCELED = "STATUS_CANCELED", _("cancelled")


class PlanStatus(models.TextChoices):
    """The statuses of compute plans; they follow from tasks and from cancelling."""

    CREATED = "PLAN_STATUS_CREATED", _("created")
    DOING = "PLAN_STATUS_DOING", _("doing")
    DONE = "PLAN_STATUS_DONE", _("done")
    FAILED = "PLAN_STATUS_FAILED", _("failed")
    CANCELED = "PLAN_STATUS_CANCELED", _("cancelled")


class ErrorType(models.TextChoices):
    """The reasons why a task fails."""

    BUILD = "BUILD_ERROR", _("building the function failed")
    EXECUTION = "EXECUTION_ERROR", _("the function failed")
    INTERNAL = "INTERNAL_ERROR", _("the platform failed")


class TaskStep(models.TextChoices):
    """The steps of running a task, in their order. Contract 2.12."""

    PREPARE_INPUTS = "prepare_inputs", _("prepare the inputs")
    DOWNLOAD_FUNCTION = "download_function", _("download the function")
    TASK_EXECUTION = "task_execution", _("run the function")
    SAVE_OUTPUTS = "save_outputs", _("save the outputs")


_STOPPED = {TaskStatus.CANCELED, TaskStatus.FAILED}

# The statuses that may follow each; a status without any is final.
TRANSITIONS: dict[TaskStatus, set[TaskStatus]] = {
    TaskStatus.WAITING_FOR_BUILDER_SLOT: {TaskStatus.BUILDING, *_STOPPED},
    TaskStatus.BUILDING: {
        TaskStatus.WAITING_FOR_PARENT_TASKS,
        TaskStatus.WAITING_FOR_EXECUTOR_SLOT,
        *_STOPPED,
    },
    TaskStatus.WAITING_FOR_PARENT_TASKS: {TaskStatus.WAITING_FOR_EXECUTOR_SLOT, *_STOPPED},
    TaskStatus.WAITING_FOR_EXECUTOR_SLOT: {TaskStatus.EXECUTING, *_STOPPED},
    TaskStatus.EXECUTING: {TaskStatus.DONE, *_STOPPED},
    TaskStatus.DONE: set(),
    TaskStatus.FAILED: set(),
    TaskStatus.CANCELED: set(),
}
FINAL = {status for status, following in TRANSITIONS.items() if not following}
# A plan in one of these accepts no tasks and cannot be cancelled.
TERMINATED = {PlanStatus.CANCELED, PlanStatus.FAILED}

# The column of ComputePlan that counts its tasks in each status.
COUNTERS = {
    TaskStatus.WAITING_FOR_BUILDER_SLOT: "waiting_builder_slot_count",
    TaskStatus.BUILDING: "building_count",
    TaskStatus.WAITING_FOR_PARENT_TASKS: "waiting_parent_tasks_count",
    TaskStatus.WAITING_FOR_EXECUTOR_SLOT: "waiting_executor_slot_count",
    TaskStatus.EXECUTING: "executing_count",
    TaskStatus.DONE: "done_count",
    TaskStatus.FAILED: "failed_count",
    TaskStatus.CANCELED: "canceled_count",
}


def initial_status(function_status: str, parents: Collection[str]) -> TaskStatus:
    """Return the status of a new task, which follows from its function's and its parents'."""
    if any(status in _STOPPED for status in parents):
        return TaskStatus.CANCELED
    if function_status == FunctionStatus.READY:
        if all(status == TaskStatus.DONE for status in parents):
            return TaskStatus.WAITING_FOR_EXECUTOR_SLOT
        return TaskStatus.WAITING_FOR_PARENT_TASKS
    return {
        FunctionStatus.WAITING: TaskStatus.WAITING_FOR_BUILDER_SLOT,
        FunctionStatus.BUILDING: TaskStatus.BUILDING,
        FunctionStatus.FAILED: TaskStatus.FAILED,
        FunctionStatus.CANCELED: TaskStatus.CANCELED,
    }[FunctionStatus(function_status)]


def has_ended(status: str, counts: Mapping[str, int]) -> bool:
    """Return whether a plan's tasks stay as they are: none runs, and no more will.

    Args:
        counts: how many of its tasks have each `TaskStatus`.
    """
    running = counts.get(TaskStatus.BUILDING, 0) + counts.get(TaskStatus.EXECUTING, 0)
    return status == PlanStatus.DONE or (status in TERMINATED and not running)


def estimated_end(
    status: str, start: datetime | None, end: datetime | None, done: int, total: int, now: datetime
) -> datetime | None:
    """Return when a plan will end if its other tasks take as long as the `done` ones; or has ended.

    None before its first task is done. Source: contract 2.6.
    """
    if status == PlanStatus.DOING and done and start:
        return now + (now - start) / done * (total - done)
    return end


def plan_status(counts: dict[str, int], *, cancelled: bool) -> PlanStatus:
    """Return the status of a plan, given how many of its tasks have each `TaskStatus`."""
    total = sum(counts.values())
    if cancelled or counts.get(TaskStatus.CANCELED):
        return PlanStatus.CANCELED
    if counts.get(TaskStatus.WAITING_FOR_BUILDER_SLOT, 0) == total:
        return PlanStatus.CREATED
    if counts.get(TaskStatus.DONE, 0) == total:
        return PlanStatus.DONE
    if counts.get(TaskStatus.FAILED):
        return PlanStatus.FAILED
    return PlanStatus.DOING
