"""What work does to tasks, functions and plans. Contract 3.7 and 4."""

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from assets.accounts.models import User
from assets.common.audit import Agent
from assets.common.errors import Refused
from assets.common.kinds import AssetKind
from assets.compute.models import ComputePlan, FailureReport, Model, Task
from assets.compute.registration import cancel_compute_plan
from assets.compute.registration.progress import move_function, move_tasks
from assets.compute.registration.results import (
    fail_function,
    fail_task,
    finish_task,
    register_model,
)
from assets.compute.specs import OutputSpec
from assets.compute.statuses import COUNTERS, TRANSITIONS, ErrorType, TaskStatus
from assets.feed.models import Event
from assets.functions.models import FUNCTION_TRANSITIONS, Function, FunctionStatus
from assets.functions.registration import hold_statuses
from assets.functions.specs import FunctionInputSpec
from assets.permissions.specs import PermissionsSpec
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

RUNNER = Agent("MyOrg1MSP", "runner of the ward")
PUBLIC = PermissionsSpec(public=True)
WEIGHTS = b"weights"
CHECKSUM = hashlib.sha256(WEIGHTS).hexdigest()


class Study:
    """A plan of a parent, a child of it, and a task of another plan that takes its output, too."""

    def __init__(self, *, transient: bool = False) -> None:
        alice = User.objects.get(username="alice")
        self.alice = alice
        self.function = builders.make_aggregate(
            alice,
            inputs=(FunctionInputSpec("models", AssetKind.MODEL, multiple=True, optional=True),),
            outputs=(builders.MODEL_OUTPUT, builders.PERFORMANCE_OUTPUT),
        )
        outputs = {
            "model": OutputSpec(builders.PRIVATE, transient),
            builders.PERFORMANCE_OUTPUT.identifier: OutputSpec(PUBLIC),
        }

        def task(*parents):
            return builders.aggregate_task(
                self.function, alice.organization_id, *parents, outputs=outputs
            )

        parent = task()
        child = task(parent)
        other = task(parent)
        self.parent, self.child, self.other = parent.key, child.key, other.key
        self.plan = builders.make_plan(alice, parent, child).key
        self.other_plan = builders.make_plan(alice, other).key

    def ready(self) -> "Study":
        move_function(self.function.key, FunctionStatus.BUILDING, RUNNER)
        move_function(self.function.key, FunctionStatus.READY, RUNNER)
        return self

    def run(self, key, value: float = 0.5) -> None:
        move_tasks([key], TaskStatus.EXECUTING, RUNNER)
        send_model(key)
        self.finish(key, value)

    def finish(self, key, value: float = 0.5) -> None:
        # Within the transaction that ends the job.
        with transaction.atomic():
            finish_task(key, RUNNER, {builders.PERFORMANCE_OUTPUT.identifier: value})

    def statuses(self) -> list[str]:
        keys = [self.parent, self.child, self.other]
        found = dict(Task.objects.filter(key__in=keys).values_list("key", "status"))
        return [found[key].removeprefix("STATUS_") for key in keys]

    def plans(self) -> list[str]:
        """Return the statuses of the two plans, after checking their counters."""
        found = []
        for key in (self.plan, self.other_plan):
            plan = ComputePlan.objects.get(pk=key)
            counted = Counter(plan.tasks.values_list("status", flat=True))
            assert plan.counts == {status: counted[status] for status in COUNTERS}
            assert sum(counted.values()) == plan.task_count
            found.append(plan.status.removeprefix("PLAN_STATUS_"))
        return found


def send_model(task, key=None, content: bytes = WEIGHTS, checksum: str = CHECKSUM) -> Model:
    file = builders.upload(content)
    return register_model(task, "model", key or uuid4(), file, checksum, RUNNER)


def test_build_frees_tasks():
    study = Study()
    assert study.statuses() == ["WAITING_FOR_BUILDER_SLOT"] * 3
    assert study.plans() == ["CREATED", "CREATED"]
    move_function(study.function.key, FunctionStatus.BUILDING, RUNNER)
    assert study.statuses() == ["BUILDING"] * 3
    assert study.plans() == ["DOING", "DOING"]
    move_function(study.function.key, FunctionStatus.READY, RUNNER)
    waiting = "WAITING_FOR_PARENT_TASKS"
    assert study.statuses() == ["WAITING_FOR_EXECUTOR_SLOT", waiting, waiting]
    assert study.plans() == ["DOING", "DOING"]


def test_done_frees_children_of_all_plans():
    study = Study().ready()
    study.run(study.parent)
    assert study.statuses() == ["DONE", *["WAITING_FOR_EXECUTOR_SLOT"] * 2]
    study.run(study.child)
    assert study.plans() == ["DONE", "DOING"]
    plan = ComputePlan.objects.get(pk=study.plan)
    last = Task.objects.get(pk=study.child)
    assert plan.start_date
    assert plan.end_date == last.end_date
    assert last.start_date < last.end_date


def test_child_waits_for_all_parents():
    study = Study().ready()
    alice, function = study.alice, study.function
    second = builders.aggregate_task(function, alice.organization_id)
    outputs = {
        "model": OutputSpec(builders.PRIVATE),
        builders.PERFORMANCE_OUTPUT.identifier: OutputSpec(PUBLIC),
    }
    second.outputs = outputs
    both = builders.aggregate_task(
        function, alice.organization_id, Task.objects.get(pk=study.parent), second, outputs=outputs
    )
    builders.make_plan(alice, second, both)
    study.run(study.parent)
    assert Task.objects.get(pk=both.key).status == TaskStatus.WAITING_FOR_PARENT_TASKS
    study.run(second.key)
    assert Task.objects.get(pk=both.key).status == TaskStatus.WAITING_FOR_EXECUTOR_SLOT


def test_failed_build_fails_its_tasks():
    study = Study()
    move_function(study.function.key, FunctionStatus.BUILDING, RUNNER)
    report = fail_function(study.function.key, builders.upload(b"no such base image"), RUNNER)
    assert study.statuses() == ["FAILED"] * 3
    assert study.plans() == ["FAILED", "FAILED"]
    assert set(Task.objects.values_list("error_type", flat=True)) == {ErrorType.BUILD}
    with default_storage.open(report.logs.name) as logs:
        assert logs.read() == b"no such base image"
    again = fail_function(study.function.key, builders.upload(b"other"), RUNNER)
    assert again.pk == report.pk
    assert FailureReport.objects.count() == 1


def test_cancelled_build_cancels_its_tasks():
    study = Study()
    move_function(study.function.key, FunctionStatus.BUILDING, RUNNER)
    move_function(study.function.key, FunctionStatus.CANCELED, RUNNER)
    assert study.statuses() == ["CANCELED"] * 3
    assert study.plans() == ["CANCELED", "CANCELED"]


def test_failed_task():
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    logs = builders.upload(b"ZeroDivisionError")
    report = fail_task(study.parent, ErrorType.EXECUTION, logs, RUNNER)
    # Children stay as they are: whoever runs them skips those of a failed plan.
    assert study.statuses() == ["FAILED", *["WAITING_FOR_PARENT_TASKS"] * 2]
    assert study.plans() == ["FAILED", "DOING"]
    assert ComputePlan.objects.get(pk=study.plan).failed_task_key == study.parent
    assert Task.objects.get(pk=study.parent).error_type == ErrorType.EXECUTION
    again = fail_task(study.parent, ErrorType.EXECUTION, builders.upload(b"x"), RUNNER)
    assert again.pk == report.pk


@pytest.mark.parametrize(
    ("error_type", "logs"), [(ErrorType.EXECUTION, None), (ErrorType.INTERNAL, b"a trace")]
)
def test_logs_of_failures(error_type, logs):
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    with pytest.raises(Refused, match="has logs"):
        fail_task(study.parent, error_type, logs and builders.upload(logs), RUNNER)
    assert study.statuses()[0] == "EXECUTING"


@pytest.mark.parametrize("before", TaskStatus)
def test_transitions_of_tasks(before):
    """Each status is followed by those of the contract, and a refusal changes nothing."""
    study = Study()
    for after in TaskStatus:
        builders.set_status([study.parent], before)
        ComputePlan.objects.filter(pk=study.plan).update(
            **dict.fromkeys(COUNTERS.values(), 0), task_count=1
        )
        ComputePlan.objects.filter(pk=study.plan).update(**{COUNTERS[before]: 1})
        events = Event.objects.count()
        if after in TRANSITIONS[before]:
            error_type = ErrorType.INTERNAL if after == TaskStatus.FAILED else ""
            move_tasks([study.parent], after, RUNNER, error_type)
            assert Task.objects.get(pk=study.parent).status == after
        else:
            with pytest.raises(Refused, match="cannot become") as refused:
                move_tasks([study.parent], after, RUNNER)
            assert refused.value.status == 409
            assert Task.objects.get(pk=study.parent).status == before
            assert Event.objects.count() == events


@pytest.mark.parametrize("before", FunctionStatus)
def test_transitions_of_functions(before):
    key = Study().function.key
    for after in FunctionStatus:
        Function.objects.filter(pk=key).update(status=before)
        if after in FUNCTION_TRANSITIONS[before]:
            move_function(key, after, RUNNER)
            assert Function.objects.get(pk=key).status == after
        else:
            with pytest.raises(Refused, match="cannot become") as refused:
                move_function(key, after, RUNNER)
            assert refused.value.status == 409
            assert Function.objects.get(pk=key).status == before


@pytest.mark.parametrize("move", [lambda key: move_tasks([key], TaskStatus.DONE, RUNNER)])
def test_unknown_task(move):
    with pytest.raises(Refused, match="not found") as refused:
        move(uuid4())
    assert refused.value.status == 404


def test_unknown_function():
    with pytest.raises(Refused, match="not found") as refused:
        move_function(uuid4(), FunctionStatus.BUILDING, RUNNER)
    assert refused.value.status == 404


def test_reports_need_an_executing_task():
    study = Study().ready()
    for report in (send_model, study.finish):
        with pytest.raises(Refused, match=r"executing|cannot become") as refused:
            report(study.parent)
        assert refused.value.status == 409
    assert not Model.objects.exists()


def test_reports_stand_once():
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    key = uuid4()
    first = send_model(study.parent, key)
    assert send_model(study.parent, key).pk == first.pk
    assert first.owner_id == study.alice.organization_id
    assert first.permissions_id == first.output.permissions_id
    with pytest.raises(Refused, match="one result"):
        send_model(study.parent)
    with pytest.raises(Refused, match="other content"):
        send_model(study.child, key)
    study.finish(study.parent)
    with pytest.raises(Refused, match="DONE"):
        study.finish(study.parent)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_performances_are_finite(value):
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    send_model(study.parent)
    with pytest.raises(Refused, match="finite"):
        study.finish(study.parent, value)


def test_model_with_another_checksum():
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    with pytest.raises(Refused, match="Send it again"):
        send_model(study.parent, content=b"half of it")
    assert not Model.objects.exists()


@pytest.mark.parametrize("identifier", ["unknown", builders.PERFORMANCE_OUTPUT.identifier])
def test_outputs_that_are_no_models(identifier):
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    with pytest.raises(Refused, match="no output"):
        register_model(
            study.parent, identifier, uuid4(), builders.upload(WEIGHTS), CHECKSUM, RUNNER
        )


def test_done_needs_all_results():
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    with pytest.raises(Refused, match="no result"), transaction.atomic():
        finish_task(study.parent, RUNNER)
    assert study.statuses()[0] == "EXECUTING"


def test_transient_output_is_freed_by_the_last_child(django_capture_on_commit_callbacks):
    study = Study(transient=True).ready()
    with django_capture_on_commit_callbacks(execute=True):
        study.run(study.parent)
    file = Model.objects.get(task=study.parent).file.name
    with django_capture_on_commit_callbacks(execute=True):
        study.run(study.child)
    assert default_storage.exists(file)
    with django_capture_on_commit_callbacks(execute=True):
        study.run(study.other)
    assert not Model.objects.get(task=study.parent).file
    assert not default_storage.exists(file)
    # No task took these.
    assert all(model.file for model in Model.objects.exclude(task=study.parent))


def test_cancelled_plan_takes_no_reports():
    study = Study().ready()
    move_tasks([study.parent], TaskStatus.EXECUTING, RUNNER)
    cancel_compute_plan(study.plan, study.alice)
    with pytest.raises(Refused, match="executing"):
        send_model(study.parent)
    assert study.statuses()[:2] == ["CANCELED", "CANCELED"]


def test_events():
    study = Study().ready()
    study.run(study.parent)
    events = Event.objects.filter(asset_key=study.parent).order_by("id")
    assert [(event.action, event.detail) for event in events] == [
        ("registered", {}),
        ("started", {}),
        ("registered", {}),
        ("ended", {"status": "DONE"}),
    ]
    last = events.last()
    assert (last.actor, last.actor_name) == (None, RUNNER.username)
    assert last.organization_id == RUNNER.organization_id
    function = Event.objects.filter(asset_key=study.function.key).order_by("id")
    assert [event.action for event in function] == ["registered", "started", "ended"]


def test_changes_of_many_tasks_take_as_many_statements():
    counts = []
    for number in (2, 30):
        study = Study().ready()
        tasks = [
            builders.aggregate_task(
                study.function,
                study.alice.organization_id,
                outputs={
                    "model": OutputSpec(builders.PRIVATE),
                    builders.PERFORMANCE_OUTPUT.identifier: OutputSpec(PUBLIC),
                },
            )
            for _ in range(number)
        ]
        builders.make_plan(study.alice, *tasks)
        with CaptureQueriesContext(connection) as queries:
            move_tasks([task.key for task in tasks], TaskStatus.EXECUTING, RUNNER)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_a_function_waits_for_tasks_that_are_being_registered():
    """A build that begins meanwhile finds the new task, which would wait forever otherwise."""
    study = Study()

    def build() -> None:
        try:
            move_function(study.function.key, FunctionStatus.BUILDING, RUNNER)
        finally:
            connections.close_all()

    def status() -> str:
        return Function.objects.get(pk=study.function.key).status

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            hold_statuses([study.function.key])
            building = threads.submit(build)
            with pytest.raises(TimeoutError):
                building.result(1)
            assert status() == FunctionStatus.WAITING
        building.result(30)
    assert status() == FunctionStatus.BUILDING
