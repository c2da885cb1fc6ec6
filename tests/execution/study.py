"""A plan of others on the data of A, whose admin decides what runs there."""

from typing import Any

from assets.accounts.models import User
from assets.compute.models import Task
from assets.compute.registration import register_tasks
from assets.compute.registration.progress import move_function
from assets.compute.statuses import TaskStatus
from assets.execution.queries.approvals import (
    awaiting_approval,
    may_run,
    policy_of,
    tasks_on_data_of,
)
from assets.execution.registration.approvals import approve_plan
from assets.functions.models import FunctionStatus
from tests import builders
from tests.cast import A


class Study:
    """Bob's plan, of two tasks on the data of A and one of B's own, which can all run."""

    def __init__(self) -> None:
        found = {user.username: user for user in User.objects.select_related("organization")}
        self.ada, self.alice, self.bob = found["ada"], found["alice"], found["bob"]
        self.dataset = builders.make_dataset(self.alice, permissions=builders.PUBLIC)
        self.samples = builders.make_samples(self.alice, self.dataset.key, count=2)
        self.own = builders.make_dataset(self.bob)
        self.own_samples = builders.make_samples(self.bob, self.own.key)
        self.function = self.make_function(b"print('trained')\n")
        self.plan = builders.make_plan(self.bob, self.task(), self.task(), self.task_of_b())

    def make_function(self, code: bytes, *, ready: bool = True) -> Any:
        files = {"Dockerfile": b"FROM python:3.11-slim\n", "function.py": code}
        archive = builders.upload(builders.zip_of(files), "function.zip")
        function = builders.make_function(self.bob, file=archive)
        return self.ready(function) if ready else function

    def ready(self, function: Any) -> Any:
        for status in (FunctionStatus.BUILDING, FunctionStatus.READY):
            move_function(function.key, status, self.bob)
        return function

    def task(self, function: Any = None, **changes: Any) -> Any:
        function = function or self.function
        return builders.training_task(self.dataset, self.samples, function, **changes)

    def task_of_b(self) -> Any:
        return builders.training_task(self.own, self.own_samples, self.function)

    def add(self, *specs: Any) -> None:
        register_tasks(specs or [self.task(compute_plan_key=self.plan.key)], self.bob)

    def digest(self) -> str:
        return tasks_on_data_of(A, self.plan.key).digest

    def approve(self) -> None:
        approve_plan(self.plan.key, self.digest(), self.ada)

    def runnable(self, organization: str = A) -> int:
        tasks = Task.objects.filter(
            worker=organization, status=TaskStatus.WAITING_FOR_EXECUTOR_SLOT
        )
        return may_run(tasks, organization).count()

    def waiting(self, organization: str = A) -> int:
        return awaiting_approval(organization, policy_of(organization)).count()
