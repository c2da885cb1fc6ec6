"""Statuses and dates that follow from others. Contract 3.7."""

from datetime import timedelta
from itertools import product

import pytest
from django.utils import timezone

from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan, Task
from assets.compute.registration import counters
from assets.compute.statuses import (
    FINAL,
    TRANSITIONS,
    ErrorType,
    PlanStatus,
    TaskStatus,
    plan_status,
)
from assets.functions.models import FunctionStatus
from tests.builders import MODEL_OUTPUT, set_status

from .requests import Cancel, Tasks
from .world import parent_ref, set_function_status

WAITING, BUILDING, READY, FAILED, CANCELED = FunctionStatus
DONE = TaskStatus.DONE
RUNS = TaskStatus.EXECUTING

# The function's status, those of the parents, and the status of a task that is registered then.
INITIAL = [
    (WAITING, [], TaskStatus.WAITING_FOR_BUILDER_SLOT),
    (WAITING, [DONE], TaskStatus.WAITING_FOR_BUILDER_SLOT),
    (WAITING, [RUNS], TaskStatus.WAITING_FOR_BUILDER_SLOT),
    (WAITING, [TaskStatus.FAILED], TaskStatus.CANCELED),
    (WAITING, [DONE, TaskStatus.CANCELED], TaskStatus.CANCELED),
    (BUILDING, [], TaskStatus.BUILDING),
    (BUILDING, [DONE], TaskStatus.BUILDING),
    (BUILDING, [TaskStatus.CANCELED], TaskStatus.CANCELED),
    (READY, [], TaskStatus.WAITING_FOR_EXECUTOR_SLOT),
    (READY, [DONE, DONE], TaskStatus.WAITING_FOR_EXECUTOR_SLOT),
    (READY, [DONE, RUNS], TaskStatus.WAITING_FOR_PARENT_TASKS),
    (READY, [TaskStatus.WAITING_FOR_BUILDER_SLOT], TaskStatus.WAITING_FOR_PARENT_TASKS),
    (READY, [RUNS, TaskStatus.FAILED], TaskStatus.CANCELED),
    (FAILED, [], TaskStatus.FAILED),
    (FAILED, [DONE], TaskStatus.FAILED),
    (FAILED, [TaskStatus.CANCELED], TaskStatus.CANCELED),
    (CANCELED, [], TaskStatus.CANCELED),
    (CANCELED, [DONE], TaskStatus.CANCELED),
    (CANCELED, [TaskStatus.FAILED], TaskStatus.CANCELED),
]


def _label(value) -> str | None:
    if isinstance(value, list):
        return "+".join(status.name.lower() for status in value) or "no parent"
    return value.name.lower()


@pytest.mark.parametrize(("function", "parents", "expected"), INITIAL, ids=_label)
def test_initial_status(function, parents, expected, interface, world):
    specs = [world.registered(world.task()) for _ in parents]
    for spec, status in zip(specs, parents, strict=True):
        set_status([spec.key], status)
    inputs = grouped(parent_ref("models", spec.key) for spec in specs)
    taker = world.aggregate if specs else world.making(MODEL_OUTPUT)
    set_function_status(taker, function)
    child = world.child(function_key=taker.key, inputs=inputs)
    assert not interface.send(world.alice, Tasks([child])).problems
    task = Task.objects.get(pk=child.key)
    assert task.status == expected
    assert task.start_date is None
    # A task that is final from the start ends as it begins.
    assert task.end_date == (task.creation_date if expected in FINAL else None)
    assert task.error_type == (ErrorType.BUILD if expected == TaskStatus.FAILED else "")


def test_a_child_follows_its_parent_of_the_same_batch(interface, world):
    failing = world.making(MODEL_OUTPUT)
    set_function_status(failing, FAILED)
    parent = world.simple(failing)
    child = world.child(parent)
    grandchild = world.child(child)
    interface.send(world.alice, Tasks([grandchild, child, parent]))
    statuses = dict(Task.objects.values_list("key", "status"))
    assert statuses == {
        parent.key: TaskStatus.FAILED,
        child.key: TaskStatus.CANCELED,
        grandchild.key: TaskStatus.CANCELED,
    }


# --- The plan's status ---------------------------------------------------------------------------

# Tasks of a plan by their status, whether it was cancelled, and its status: the rows of the table.
PLANS = [
    ("1 cancelled, no task", [], True, PlanStatus.CANCELED),
    ("1 cancelled, all done", [DONE], True, PlanStatus.CANCELED),
    ("1 cancelled, one failed", [TaskStatus.FAILED], True, PlanStatus.CANCELED),
    ("1 a task cancelled", [DONE, TaskStatus.CANCELED], False, PlanStatus.CANCELED),
    (
        "1 one cancelled, one failed",
        [TaskStatus.FAILED, TaskStatus.CANCELED],
        False,
        PlanStatus.CANCELED,
    ),
    ("2 no task", [], False, PlanStatus.CREATED),
    (
        "2 all wait for the builder",
        [TaskStatus.WAITING_FOR_BUILDER_SLOT] * 2,
        False,
        PlanStatus.CREATED,
    ),
    ("3 all done", [DONE, DONE], False, PlanStatus.DONE),
    ("4 one failed, one done", [TaskStatus.FAILED, DONE], False, PlanStatus.FAILED),
    (
        "4 one failed, one waits",
        [TaskStatus.FAILED, TaskStatus.WAITING_FOR_BUILDER_SLOT],
        False,
        PlanStatus.FAILED,
    ),
    ("4 one failed, one runs", [TaskStatus.FAILED, RUNS], False, PlanStatus.FAILED),
    ("5 building", [TaskStatus.BUILDING], False, PlanStatus.DOING),
    ("5 waiting for parents", [TaskStatus.WAITING_FOR_PARENT_TASKS], False, PlanStatus.DOING),
    ("5 waiting for the executor", [TaskStatus.WAITING_FOR_EXECUTOR_SLOT], False, PlanStatus.DOING),
    ("5 executing", [RUNS], False, PlanStatus.DOING),
    ("5 one done, one waits", [DONE, TaskStatus.WAITING_FOR_BUILDER_SLOT], False, PlanStatus.DOING),
]
PLAN_ROWS = [pytest.param(*row[1:], id=row[0]) for row in PLANS]


def _count(statuses) -> dict[str, int]:
    return {status: statuses.count(status) for status in TaskStatus}


@pytest.mark.parametrize(("statuses", "cancelled", "expected"), PLAN_ROWS)
def test_plan_status(statuses, cancelled, expected):
    assert plan_status(_count(statuses), cancelled=cancelled) == expected


def test_plan_status_of_every_mixture():
    """The first row of the table that fits, message in other words."""
    for statuses in product([None, *TaskStatus], repeat=3):
        present = [status for status in statuses if status]
        for cancelled in (False, True):
            found = plan_status(_count(present), cancelled=cancelled)
            if cancelled or TaskStatus.CANCELED in present:
                expected = PlanStatus.CANCELED
            elif set(present) <= {TaskStatus.WAITING_FOR_BUILDER_SLOT}:
                expected = PlanStatus.CREATED
            elif set(present) == {DONE}:
                expected = PlanStatus.DONE
            elif TaskStatus.FAILED in present:
                expected = PlanStatus.FAILED
            else:
                expected = PlanStatus.DOING
            assert found == expected, (present, cancelled)


# What a plan's first task makes of it, by the status of the task's function.
FIRST_TASK = {
    WAITING: PlanStatus.CREATED,
    BUILDING: PlanStatus.DOING,
    READY: PlanStatus.DOING,
    FAILED: PlanStatus.FAILED,
    CANCELED: PlanStatus.CANCELED,
}


@pytest.mark.parametrize(("function", "expected"), FIRST_TASK.items(), ids=_label)
def test_registering_derives_the_plan(function, expected, interface, world):
    maker = world.making(MODEL_OUTPUT)
    set_function_status(maker, function)
    spec = world.simple(maker)
    interface.send(world.alice, Tasks([spec]))
    plan = ComputePlan.objects.get(pk=world.plan.key)
    task = Task.objects.get(pk=spec.key)
    assert plan.status == expected
    assert plan.counts == _count([task.status])
    assert plan.task_count == 1
    has_started = expected not in (PlanStatus.CREATED, PlanStatus.CANCELED)
    assert plan.start_date == (task.creation_date if has_started else None)
    assert plan.end_date == task.end_date
    assert plan.failed_task_key == (task.key if expected == PlanStatus.FAILED else None)


def test_the_start_is_never_changed(interface, world):
    ready = world.making(MODEL_OUTPUT)
    set_function_status(ready, READY)
    interface.send(world.alice, Tasks([world.simple(ready)]))
    started = ComputePlan.objects.get(pk=world.plan.key).start_date
    interface.send(world.alice, Tasks([world.simple(ready)]))
    interface.send(world.alice, Cancel(world.plan.key))
    assert ComputePlan.objects.get(pk=world.plan.key).start_date == started


def test_a_plan_that_was_done_goes_on_with_new_tasks(interface, world):
    first = world.task()
    interface.send(world.alice, Tasks([first]))
    now = timezone.now()
    set_status([first.key], DONE, end_date=now)
    plan = ComputePlan.objects.get(pk=world.plan.key)
    plan.waiting_builder_slot_count, plan.done_count = 0, 1
    counters.update_progress(plan, now)
    plan.save(update_fields=counters.PROGRESS_FIELDS)
    assert (plan.status, plan.end_date) == (PlanStatus.DONE, now)
    interface.send(world.alice, Tasks([world.task()]))
    plan.refresh_from_db()
    assert (plan.status, plan.end_date, plan.start_date) == (PlanStatus.DOING, None, now)


def test_the_first_failed_task_is_the_one_that_ended_first(world):
    specs = [world.task() for _ in range(3)]
    world.registered(*specs)
    now = timezone.now()
    for spec, minutes in zip(specs, (3, 1, 2), strict=True):
        set_status([spec.key], TaskStatus.FAILED, end_date=now + timedelta(minutes=minutes))
    plan = ComputePlan.objects.get(pk=specs[0].compute_plan_key)
    plan.waiting_builder_slot_count, plan.failed_count = 0, 3
    counters.update_progress(plan, now)
    assert plan.failed_task_key == specs[1].key
    assert plan.end_date == now + timedelta(minutes=3)
    plan.failed_task_key = specs[2].key
    counters.update_progress(plan, now)
    assert plan.failed_task_key == specs[2].key, "never changed afterwards"


def test_a_plan_that_failed_has_ended_though_tasks_have_not(world):
    """The end is the latest of those that there are."""
    specs = [world.task(), world.task()]
    world.registered(*specs)
    now = timezone.now()
    set_status([specs[0].key], TaskStatus.FAILED, end_date=now)
    plan = ComputePlan.objects.get(pk=specs[0].compute_plan_key)
    plan.waiting_builder_slot_count, plan.failed_count = 1, 1
    counters.update_progress(plan, now)
    assert (plan.status, plan.end_date) == (PlanStatus.FAILED, now)


# --- Transitions, contract 4 ---------------------------------------------------------------------

FOLLOW = {
    "WAITING_FOR_BUILDER_SLOT": "BUILDING CANCELED FAILED",
    "BUILDING": "WAITING_FOR_PARENT_TASKS WAITING_FOR_EXECUTOR_SLOT CANCELED FAILED",
    "WAITING_FOR_PARENT_TASKS": "WAITING_FOR_EXECUTOR_SLOT CANCELED FAILED",
    "WAITING_FOR_EXECUTOR_SLOT": "EXECUTING CANCELED FAILED",
    "EXECUTING": "DONE CANCELED FAILED",
    "DONE": "",
    "FAILED": "",
    "CANCELED": "",
}


def test_transitions():
    message = {status.name: {after.name for after in TRANSITIONS[status]} for status in TaskStatus}
    assert message == {name: set(after.split()) for name, after in FOLLOW.items()}
    assert {status.name for status in FINAL} == {"DONE", "FAILED", "CANCELED"}
