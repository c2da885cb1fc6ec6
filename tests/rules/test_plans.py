"""Compute plans: registering, cancelling, taking tasks. Contract 3.5, decisions 4, 5."""

from uuid import uuid4

from assets.common.errors import Code
from assets.compute import registration
from assets.compute.models import ComputePlan, Task
from assets.compute.statuses import FINAL, PlanStatus, TaskStatus
from assets.functions.models import FunctionStatus
from tests.builders import plan_spec, set_status

from .cases import Case, accepted, refused, table, verify
from .requests import Cancel, Tasks

GONE = "takes no more tasks"


def _other(world, **changes):
    """A spec with the key of a plan that is registered."""
    return plan_spec(key=world.plan.key, **changes)


def _cancelled(world):
    registration.cancel_compute_plan(world.plan.key, world.alice)
    return world.plan


def _failed(world):
    return world.plan_whose_task(FunctionStatus.FAILED)


def _with_cancelled_task(world):
    return world.plan_whose_task(FunctionStatus.CANCELED)


def _done(world):
    """A plan whose only task is done."""
    world.registered(task := world.task())
    _finish(ComputePlan.objects.get(pk=task.compute_plan_key))
    return ComputePlan.objects.get(pk=task.compute_plan_key)


def _finish(plan):
    """Finish the plan's tasks, as workers would."""
    set_status(plan.tasks.values_list("key", flat=True), TaskStatus.DONE)
    count = plan.task_count
    ComputePlan.objects.filter(pk=plan.pk).update(
        status=PlanStatus.DONE, waiting_builder_slot_count=0, done_count=count
    )


def _done_and_cancelled(world):
    plan = _done(world)
    registration.cancel_compute_plan(plan.key, world.alice)
    return plan


PLANS = [
    accepted("without tasks", lambda w: plan_spec()),
    accepted("with tasks", lambda w: plan_spec(tasks=[w.task(compute_plan_key=None)])),
    accepted("a name that is taken", lambda w: plan_spec(name=w.plan.name)),
    refused(
        "key taken, other name",
        lambda w: _other(w, name="Another"),
        Code.CONFLICT,
        "key",
        "computeplan with key",
    ),
    refused(
        "key taken, other tag",
        lambda w: _other(w, tag="other"),
        Code.CONFLICT,
        "key",
        "already exists",
    ),
    refused(
        "key taken, other metadata",
        lambda w: _other(w, metadata={"a": "b"}),
        Code.CONFLICT,
        "key",
        "already exists",
    ),
    refused(
        "key taken by another organisation",
        _other,
        Code.CONFLICT,
        "key",
        "already exists",
        by="bob",
    ),
]
CANCELS = [
    accepted("without tasks", lambda w: Cancel(w.plan.key)),
    accepted("with tasks", lambda w: Cancel(w.registered(w.task()).compute_plan_key)),
    accepted("all tasks done", lambda w: Cancel(_done(w).key)),
    refused("unknown", lambda w: Cancel(uuid4()), Code.NOT_FOUND, "", "not found"),
    refused(
        "another organisation's",
        lambda w: Cancel(w.plan.key),
        Code.FORBIDDEN,
        "",
        "only its owner",
        by="bob",
    ),
    refused(
        "cancelled already",
        lambda w: Cancel(_cancelled(w).key),
        Code.TERMINATED,
        "",
        "cancelled already",
    ),
    refused(
        "a task cancelled",
        lambda w: Cancel(_with_cancelled_task(w).key),
        Code.TERMINATED,
        "",
        "cancelled already",
    ),
    refused("failed", lambda w: Cancel(_failed(w).key), Code.TERMINATED, "", "failed already"),
]


def _into(find):
    return lambda world: Tasks([world.task(compute_plan_key=find(world).key)])


TAKES = [
    accepted("created", _into(lambda w: w.plan)),
    accepted("doing", _into(lambda w: w.plan_whose_task(FunctionStatus.READY))),
    accepted("done", _into(_done)),
    refused("cancelled", _into(_cancelled), Code.TERMINATED, "compute_plan_key", GONE),
    refused(
        "a task cancelled", _into(_with_cancelled_task), Code.TERMINATED, "compute_plan_key", GONE
    ),
    refused("failed", _into(_failed), Code.TERMINATED, "compute_plan_key", GONE),
    refused(
        "done and cancelled", _into(_done_and_cancelled), Code.TERMINATED, "compute_plan_key", GONE
    ),
]


@table(PLANS)
def test_plan(case: Case, interface, world):
    verify(case, interface, world)


@table(CANCELS)
def test_cancel(case: Case, interface, world):
    verify(case, interface, world)


@table(TAKES)
def test_adding_tasks(case: Case, interface, world):
    verify(case, interface, world)


def test_cancelling_cancels_the_tasks_that_are_not_final(interface, world):
    specs = [world.task() for _ in TaskStatus]
    world.registered(*specs)
    before = dict(zip((spec.key for spec in specs), TaskStatus, strict=True))
    for key, status in before.items():
        set_status([key], status)
    interface.send(world.alice, Cancel(specs[0].compute_plan_key))
    after = dict(Task.objects.values_list("key", "status"))
    assert after == {
        key: status if status in FINAL else TaskStatus.CANCELED for key, status in before.items()
    }
    ended = Task.objects.filter(end_date__isnull=False).values_list("key", flat=True)
    assert set(ended) == {key for key, status in before.items() if status not in FINAL}


def test_cancelling_leaves_done_tasks_done_and_the_plan_cancelled(interface, world):
    plan = _done(world)
    interface.send(world.alice, Cancel(plan.key))
    plan.refresh_from_db()
    assert plan.status == PlanStatus.CANCELED
    assert plan.end_date == plan.cancelation_date
    assert set(plan.tasks.values_list("status", flat=True)) == {TaskStatus.DONE}
