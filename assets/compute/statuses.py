"""Statuses of tasks and plans: the words, the transitions, and how one follows from another.

Source: contract 3.7 and 4.
"""

from collections.abc import Collection

from django.db import models

from ..functions.models import FunctionStatus


class TaskStatus(models.TextChoices):
    """Where a task stands, in the wire's words (SDK 0.51 and later)."""

    WAITING_FOR_BUILDER_SLOT = "STATUS_WAITING_FOR_BUILDER_SLOT", "waiting for builder"
    BUILDING = "STATUS_BUILDING", "building"
    WAITING_FOR_PARENT_TASKS = "STATUS_WAITING_FOR_PARENT_TASKS", "waiting for parents"
    WAITING_FOR_EXECUTOR_SLOT = "STATUS_WAITING_FOR_EXECUTOR_SLOT", "waiting for executor"
    EXECUTING = "STATUS_EXECUTING", "executing"
    DONE = "STATUS_DONE", "done"
    FAILED = "STATUS_FAILED", "failed"
    CANCELED = "STATUS_CANCELED", "cancelled"


class PlanStatus(models.TextChoices):
    """Where a compute plan stands; derived from its tasks and its cancelling."""

    CREATED = "PLAN_STATUS_CREATED", "created"
    DOING = "PLAN_STATUS_DOING", "doing"
    DONE = "PLAN_STATUS_DONE", "done"
    FAILED = "PLAN_STATUS_FAILED", "failed"
    CANCELED = "PLAN_STATUS_CANCELED", "cancelled"


class ErrorType(models.TextChoices):
    """Why a task failed."""

    BUILD = "BUILD_ERROR", "building the function failed"
    EXECUTION = "EXECUTION_ERROR", "the function failed"
    INTERNAL = "INTERNAL_ERROR", "the platform failed"


_STOPPED = {TaskStatus.CANCELED, TaskStatus.FAILED}

# Which status may follow which; a status without followers is final.
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
# A plan in one of these takes no more tasks and cannot be cancelled.
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
    """Return the status of a task at registration, from its function's and its parents'."""
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


def plan_status(counts: dict[str, int], *, cancelled: bool) -> PlanStatus:
    """Return the status of a plan whose tasks are counted by `TaskStatus`."""
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
