"""Two requests that register the same at once: the later one looks again. Decision 3."""

from dataclasses import replace
from threading import Thread

import pytest
from django.db import connection, connections
from django.db.utils import IntegrityError

from assets.common.errors import Code, Refused
from assets.compute import registration
from assets.compute.models import ComputePlan, Task
from assets.compute.registration import batch, counters, plans, tasks
from assets.compute.statuses import TaskStatus
from assets.feed.models import Event
from assets.functions.models import Function, FunctionStatus
from tests.builders import plan_spec

from .cases import everything, refused, verify
from .requests import Tasks

pytestmark = pytest.mark.postgresql


@pytest.fixture
def blind_once(monkeypatch):
    """Have the first look for what exists see nothing, as if it had been registered after it."""

    def patch(module, name: str, nothing):
        look, looks = getattr(module, name), []

        def once(*args):
            looks.append(args)
            return nothing if len(looks) == 1 else look(*args)

        monkeypatch.setattr(module, name, once)
        return looks

    return patch


def test_a_plan_that_came_in_between(interface, world, blind_once):
    spec = plan_spec()
    registration.register_compute_plan(spec, world.users["ada"])
    looks = blind_once(counters, "lock_plans", {})
    before = everything()
    assert not interface.send(world.alice, spec).problems
    assert len(looks) == 2
    assert everything() == before


def test_another_plan_that_came_in_between(interface, world, blind_once):
    spec = plan_spec()
    registration.register_compute_plan(spec, world.alice)
    blind_once(counters, "lock_plans", {})
    case = refused("between", lambda w: spec, Code.CONFLICT, "key", "already exists", by="bob")
    verify(case, interface, world)


def test_tasks_that_came_in_between(interface, world, blind_once):
    task = world.task()
    registration.register_tasks([task], world.alice)
    looks = blind_once(batch, "_check_existing", {})
    before = everything()
    new = world.task()
    assert not interface.send(world.alice, Tasks([task, new])).problems
    assert len(looks) == 2
    assert Task.objects.count() == 2
    assert Event.objects.filter(public=True).count() == len(before[Event._meta.db_table]) + 1


def test_other_tasks_that_came_in_between(interface, world, blind_once):
    task = world.task()
    registration.register_tasks([task], world.alice)
    blind_once(batch, "_check_existing", {})
    case = refused(
        "between",
        lambda w: Tasks([replace(task, tag="other")]),
        Code.CONFLICT,
        "tasks[0].key",
        "already exists",
    )
    verify(case, interface, world)


@pytest.fixture
def just_before_the_lock(monkeypatch):
    """Have something happen after the first batch is prepared, before its transaction begins."""

    def patch(happen) -> None:
        lock, left = counters.lock_plans, [happen]

        def later(*args):
            if left:
                left.pop()()
            return lock(*args)

        monkeypatch.setattr(counters, "lock_plans", later)

    return patch


def test_a_function_that_is_built_meanwhile(world, just_before_the_lock):
    task = world.task()
    ready = FunctionStatus.READY
    just_before_the_lock(lambda: Function.objects.update(status=ready))
    registration.register_tasks([task], world.alice)
    assert Task.objects.get(pk=task.key).status == TaskStatus.WAITING_FOR_EXECUTOR_SLOT


def test_a_parent_that_is_cancelled_meanwhile(world, just_before_the_lock):
    parent = world.registered(world.task(compute_plan_key=None))
    plan = Task.objects.get(pk=parent.key).compute_plan_id
    child = world.child(parent)
    just_before_the_lock(lambda: registration.cancel_compute_plan(plan, world.alice))
    registration.register_tasks([child], world.alice)
    assert Task.objects.get(pk=child.key).status == TaskStatus.CANCELED


def test_a_plan_that_is_cancelled_meanwhile(world, just_before_the_lock):
    task = world.task()
    before = Task.objects.count()
    just_before_the_lock(lambda: registration.cancel_compute_plan(world.plan.key, world.alice))
    with pytest.raises(Refused) as refusal:
        registration.register_tasks([task], world.alice)
    assert refusal.value.first.code == Code.TERMINATED
    assert Task.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_other_writers_do_not_wait_for_the_checks(world, monkeypatch):
    """What takes long of a batch is done before the transaction begins."""
    held = []

    def noted(*args):
        held.append(connection.in_atomic_block)
        return batch.check_batch(*args)

    for module in (plans, tasks):
        monkeypatch.setattr(module, "check_batch", noted)
    registration.register_compute_plan(
        plan_spec(tasks=[world.task(compute_plan_key=None)]), world.alice
    )
    registration.register_tasks([world.task()], world.alice)
    assert held
    assert not any(held)


def test_a_fault_of_ours_is_not_taken_for_a_conflict(world, monkeypatch):
    """Looked at once more and no more: then it is a fault, and is shown so."""
    calls = []

    def broken(*args):
        calls.append(args)
        raise IntegrityError

    monkeypatch.setattr(plans, "insert_plan", broken)
    with pytest.raises(IntegrityError):
        registration.register_compute_plan(plan_spec(), world.alice)
    assert len(calls) == 2


@pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one request write at a time anyway"
)
@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once(world):
    """Every one of them succeeds, and there is one plan with its tasks."""
    spec = plan_spec(tasks=[world.task(compute_plan_key=None) for _ in range(20)])
    outcomes = []

    def register() -> None:
        try:
            outcomes.append(registration.register_compute_plan(spec, world.alice).key)
        except Exception as error:  # noqa: BLE001  shown by the assertion
            outcomes.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [spec.key] * len(threads)
    assert ComputePlan.objects.get(pk=spec.key).task_count == 20
    assert Task.objects.filter(compute_plan_id=spec.key).count() == 20
