"""What an organisation approves, and what its runners may run then."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from assets.accounts.models import User
from assets.accounts.registration.runners import create_runner
from assets.common.errors import Code, Refused
from assets.compute.models import ComputePlan, Task
from assets.compute.registration import register_tasks
from assets.compute.statuses import TaskStatus
from assets.execution.models import Approval, RunPolicy
from assets.execution.queries.approvals import (
    Policy,
    policy_of,
    tasks_on_data_of,
    without_approval,
)
from assets.execution.registration.approvals import (
    approve_function,
    approve_plan,
    decline_function,
    decline_plan,
    set_policy,
)
from assets.execution.registration.claims import claim
from assets.feed.models import Event
from assets.feed.tables import detail_of
from tests import builders
from tests.cast import A, B

from .study import Study

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

REASON = "Ask the ethics board first."


@pytest.fixture
def study(db) -> Study:
    return Study()


def do_nothing(study: Study) -> None: ...


def approve_code(study: Study) -> None:
    approve_function(study.function, study.ada)


def approve_same_code(study: Study) -> None:
    """Another function with the same archive."""
    other = study.make_function(b"print('trained')\n", ready=False)
    assert other.pk != study.function.pk
    approve_function(other, study.ada)


def approve_other_code(study: Study) -> None:
    approve_function(study.make_function(b"print('other')\n"), study.ada)


def add_later(study: Study) -> None:
    study.approve()
    study.add()


def add_later_and_approve(study: Study) -> None:
    add_later(study)
    study.approve()


def approve_and_register_again(study: Study) -> None:
    approve_code(study)
    builders.make_plan(study.bob, study.task())


@dataclass(frozen=True)
class Case:
    """A policy, what is done under it, and how many of A's tasks may run then, and wait."""

    policy: Policy
    do: Callable[[Study], None]
    may_run: int
    waiting: int


CASES = {
    "all": Case(Policy.ALL, do_nothing, 2, 0),
    "functions, none approved": Case(Policy.FUNCTIONS, do_nothing, 0, 2),
    "function approved": Case(Policy.FUNCTIONS, approve_code, 2, 0),
    "its code approved": Case(Policy.FUNCTIONS, approve_same_code, 2, 0),
    "another function approved": Case(Policy.FUNCTIONS, approve_other_code, 0, 2),
    "function approved before the plan": Case(Policy.FUNCTIONS, approve_and_register_again, 3, 0),
    "plans, none approved": Case(Policy.PLANS, do_nothing, 0, 2),
    "plan approved": Case(Policy.PLANS, Study.approve, 2, 0),
    "task added later": Case(Policy.PLANS, add_later, 2, 1),
    "task added later and approved": Case(Policy.PLANS, add_later_and_approve, 3, 0),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_may_run(case: Case, study):
    set_policy(case.policy, study.ada)
    case.do(study)
    assert study.runnable() == case.may_run
    if case.policy != Policy.ALL:
        assert study.waiting() == case.waiting
    assert without_approval(Task.objects.all()).count() == case.waiting
    # B's runners run what they did before.
    assert study.runnable(B) == 1


def test_a_policy_holds_for_what_was_approved_under_another(study):
    set_policy(Policy.PLANS, study.ada)
    study.approve()
    set_policy(Policy.FUNCTIONS, study.ada)
    assert study.runnable() == 0
    set_policy(Policy.ALL, study.ada)
    assert study.runnable() == 2
    set_policy(Policy.PLANS, study.ada)
    assert study.runnable() == 2


def test_one_question_with_one_answer(study):
    """Two statements, however much waits: a claim asks them again and again."""
    set_policy(Policy.PLANS, study.ada)
    with CaptureQueriesContext(
        connection,
    ) as captured:
        study.runnable()
    assert len(captured) == 2


@pytest.mark.parametrize("policy", [Policy.PLANS, Policy.FUNCTIONS])
def test_runners_get_what_is_approved(policy, study):
    """A plan that waits for approval holds up no other."""
    set_policy(policy, study.ada)
    other = study.make_function(b"print('other')\n")
    second = builders.make_plan(study.bob, study.task(other))
    runner, _ = create_runner(study.ada.organization, name="ward")
    assert not claim(runner, 5, looks_back=True)
    if policy == Policy.PLANS:
        approve_plan(second.key, tasks_on_data_of(A, second.key).digest, study.ada)
    else:
        approve_function(other, study.ada)
    (job,) = claim(runner, 5, looks_back=True)
    assert job.task.compute_plan_id == second.key
    assert not claim(runner, 5, looks_back=True)
    # What runs is not stopped.
    if policy == Policy.FUNCTIONS:
        decline_function(other, REASON, study.ada)
    assert Task.objects.get(pk=job.task_id).status == TaskStatus.EXECUTING
    set_policy(Policy.ALL, study.ada)
    assert len(claim(runner, 5, looks_back=True)) == 2


# --- Who decides ---------------------------------------------------------------------------------

DECISIONS = {
    "the policy": (Policy.PLANS, lambda s, who: set_policy(Policy.ALL, who)),
    "a plan": (Policy.PLANS, lambda s, who: approve_plan(s.plan.key, s.digest(), who)),
    "against a plan": (Policy.PLANS, lambda s, who: decline_plan(s.plan.key, REASON, who)),
    "a function": (Policy.FUNCTIONS, lambda s, who: approve_function(s.function, who)),
    "against a function": (
        Policy.FUNCTIONS,
        lambda s, who: decline_function(s.function, REASON, who),
    ),
}


@pytest.mark.parametrize("name", ["alice", "victor", "root"])
@pytest.mark.parametrize("decision", DECISIONS)
def test_only_admins_decide(decision, name, study, request):
    policy, decide = DECISIONS[decision]
    set_policy(policy, study.ada)
    with pytest.raises(Refused) as refused:
        decide(study, request.getfixturevalue(name))
    assert refused.value.first.code is Code.FORBIDDEN
    assert policy_of(A) == policy
    assert not Approval.objects.exists()
    assert study.waiting() == 2


def test_an_admin_of_others_decides_for_them_only(study):
    """B's admin approves B's tasks; those of A wait on."""
    for admin in (study.ada, admin_of_b(study)):
        set_policy(Policy.PLANS, admin)
    digest = tasks_on_data_of(B, study.plan.key).digest
    approve_plan(study.plan.key, digest, study.bob)
    assert (study.runnable(), study.runnable(B)) == (0, 1)
    decline_plan(study.plan.key, REASON, study.bob)
    assert statuses(study.plan) == {A: {"WAITING_FOR_EXECUTOR_SLOT"}, B: {"CANCELED"}}


def admin_of_b(study: Study) -> User:
    study.bob.role = "admin"
    return study.bob


def statuses(plan: ComputePlan) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for worker, status in plan.tasks.values_list("worker_id", "status"):
        found.setdefault(worker, set()).add(status.removeprefix("STATUS_"))
    return found


def code_of(decide: Callable[[], None]) -> Code:
    with pytest.raises(Refused) as refused:
        decide()
    return refused.value.first.code


def test_a_decision_that_the_policy_does_not_ask_for(study):
    for policy, (asks, decide) in zip(
        (Policy.FUNCTIONS, Policy.ALL, Policy.PLANS, Policy.ALL),
        list(DECISIONS.values())[1:],
        strict=True,
    ):
        assert policy != asks
        set_policy(policy, study.ada)
        assert code_of(lambda do=decide: do(study, study.ada)) is Code.BAD_REQUEST
    assert not Approval.objects.exists()


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "x" * 501])
def test_reasons_that_are_none(reason, study):
    set_policy(Policy.PLANS, study.ada)
    assert code_of(lambda: decline_plan(study.plan.key, reason, study.ada)) is Code.INVALID
    set_policy(Policy.FUNCTIONS, study.ada)
    assert code_of(lambda: decline_function(study.function, reason, study.ada)) is Code.INVALID
    assert study.waiting() == 2


def test_plans_that_are_not_about_ones_data(study):
    set_policy(Policy.PLANS, study.ada)
    other = builders.make_plan(study.bob, study.task_of_b())
    for key in (other.key, study.function.key):
        assert code_of(lambda k=key: approve_plan(k, "", study.ada)) is Code.NOT_FOUND
        assert code_of(lambda k=key: decline_plan(k, REASON, study.ada)) is Code.NOT_FOUND


# --- Approving -----------------------------------------------------------------------------------


def test_tasks_of_a_server_whose_clock_is_behind(study, monkeypatch):
    set_policy(Policy.PLANS, study.ada)
    study.approve()
    hour_ago = timezone.now() - timedelta(hours=1)
    with monkeypatch.context() as patched:
        patched.setattr("assets.compute.registration.saving.timezone.now", lambda: hour_ago)
        study.add()
    assert study.runnable() == 2


def test_one_approves_what_one_has_seen(study):
    set_policy(Policy.PLANS, study.ada)
    seen = study.digest()
    study.add()
    assert code_of(lambda: approve_plan(study.plan.key, seen, study.ada)) is Code.CONFLICT
    assert study.runnable() == 0
    study.approve()
    assert study.runnable() == 3


def test_tasks_of_others_are_nothing_to_see_again(study):
    set_policy(Policy.PLANS, study.ada)
    seen = study.digest()
    register_tasks(
        [
            builders.training_task(
                study.own, study.own_samples, study.function, compute_plan_key=study.plan.key
            )
        ],
        study.bob,
    )
    approve_plan(study.plan.key, seen, study.ada)
    assert study.runnable() == 2


def test_approving_twice_is_one_decision(study):
    set_policy(Policy.PLANS, study.ada)
    study.approve()
    study.approve()
    assert Event.objects.filter(action="approved").count() == 1
    set_policy(Policy.FUNCTIONS, study.ada)
    approve_code(study)
    approve_code(study)
    assert Event.objects.filter(action="approved").count() == 2
    assert Approval.objects.count() == 2


# --- Declining -----------------------------------------------------------------------------------


def test_declining_a_plan_cancels_its_tasks_here(study):
    set_policy(Policy.PLANS, study.ada)
    running, done = study.task(), study.task()
    study.add(*(changed(spec, study.plan) for spec in (running, done)))
    builders.set_status([running.key], TaskStatus.EXECUTING)
    builders.set_status([done.key], TaskStatus.DONE)
    ComputePlan.objects.filter(pk=study.plan.key).update(
        waiting_executor_slot_count=3, executing_count=1, done_count=1
    )
    decline_plan(study.plan.key, REASON, study.ada)
    assert statuses(study.plan) == {
        A: {"CANCELED", "EXECUTING", "DONE"},
        B: {"WAITING_FOR_EXECUTOR_SLOT"},
    }
    plan = ComputePlan.objects.get(pk=study.plan.key)
    assert plan.status == "PLAN_STATUS_CANCELED"
    assert (plan.canceled_count, plan.executing_count, plan.done_count) == (2, 1, 1)
    events = Event.objects.filter(detail__reason=REASON)
    assert sorted(events.values_list("action", "asset_kind")) == [
        ("declined", "ASSET_COMPUTE_PLAN"),
        ("ended", "ASSET_COMPUTE_PLAN"),
        *[("ended", "ASSET_COMPUTE_TASK")] * 2,
    ]
    assert {event.organization_id for event in events} == {A}
    assert all(REASON in detail_of(event) for event in events)
    # Nothing is left to decline.
    again = code_of(lambda: decline_plan(study.plan.key, REASON, study.ada))
    assert again is Code.BAD_REQUEST


def changed(spec: Any, plan: ComputePlan) -> Any:
    return replace(spec, compute_plan_key=plan.key)


def test_declining_a_function_cancels_its_tasks_in_every_plan(study):
    set_policy(Policy.FUNCTIONS, study.ada)
    other = study.make_function(b"print('other')\n")
    second = builders.make_plan(study.bob, study.task())
    mixed = builders.make_plan(study.bob, study.task(), study.task(other))
    decline_function(study.function, REASON, study.ada)
    assert statuses(study.plan)[A] == statuses(second)[A] == {"CANCELED"}
    assert statuses(mixed)[A] == {"CANCELED", "WAITING_FOR_EXECUTOR_SLOT"}
    assert statuses(study.plan)[B] == {"WAITING_FOR_EXECUTOR_SLOT"}
    event = Event.objects.get(action="declined")
    assert event.detail == {"reason": REASON, "tasks": 4}
    # A task that is added later asks again.
    builders.make_plan(study.bob, study.task())
    assert (study.runnable(), study.waiting()) == (0, 1)
    approve_function(study.function, study.ada)
    assert study.runnable() == 1
    assert Approval.objects.get().reason == ""


def test_what_was_approved_can_be_declined(study):
    set_policy(Policy.PLANS, study.ada)
    study.approve()
    decline_plan(study.plan.key, REASON, study.ada)
    assert not study.runnable()
    assert not Approval.objects.get().approved


# --- The policy ----------------------------------------------------------------------------------


def test_a_policy_is_recorded_once(study):
    before = Event.objects.count()
    set_policy(Policy.ALL, study.ada)
    assert not RunPolicy.objects.exists()
    set_policy(Policy.PLANS, study.ada)
    set_policy(Policy.PLANS, study.ada)
    (event,) = Event.objects.filter(pk__gt=0).order_by("pk")[before:]
    assert (event.public, event.actor, event.organization_id) == (False, study.ada, A)
    assert detail_of(event) == "runners run approved compute plans only"
