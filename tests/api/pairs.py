"""Alice's things and Bob's, and whose of them a filtered list has."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from assets.compute.models import ComputePlan
from assets.compute.statuses import TaskStatus
from tests.builders import (
    PUBLIC,
    make_dataset,
    make_function,
    make_model,
    make_plan,
    make_samples,
    only_to,
    set_status,
    training_task,
)
from tests.rules.world import world_of_cast

FIRST_DAY = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=9)


@pytest.fixture(scope="module")
def two(shared_rows) -> SimpleNamespace:
    """Alice's things and Bob's: a dataset, a sample, a function, a plan and a task each.

    Bob's are public and have run; Alice's are private and wait.
    """
    things, world = {}, world_of_cast()
    for name, actor, permissions in (
        ("alices", world.alice, only_to()),
        ("bobs", world.bob, PUBLIC),
    ):
        dataset = make_dataset(
            actor,
            name=f"{name} data",
            permissions=permissions,
            logs_permission=permissions,
        )
        (sample,) = make_samples(actor, dataset.key)
        function = make_function(actor, name=f"{name} function", permissions=permissions)
        task = training_task(dataset, [sample], function, tag=f"{name} tag", metadata={"of": name})
        plan = make_plan(actor, task, name=f"{name} plan", tag=f"{name} tag", metadata={"of": name})
        things[name] = SimpleNamespace(
            dataset=dataset, sample=sample, function=function, plan=plan, task=task
        )
    bobs = things["bobs"]
    dates = {"start_date": FIRST_DAY, "end_date": FIRST_DAY + timedelta(seconds=90)}
    set_status([bobs.task.key], TaskStatus.DONE, **dates)
    ComputePlan.objects.filter(pk=bobs.plan.pk).update(status="PLAN_STATUS_DONE", **dates)
    for owner in things.values():
        owner.model = make_model(owner.task.key)
    return SimpleNamespace(**things)


RESOURCES = {
    "data_manager": "dataset",
    "data_sample": "sample",
    "function": "function",
    "compute_plan": "plan",
    "task": "task",
    "model": "model",
}


def found(api, resource, two, **params) -> str:
    """Whose thing the filtered list has."""
    answer = api.get(f"/api/{resource}/", params)
    assert answer.status_code == 200, answer.content
    keys = [item["key"] for item in answer.json()["results"]]
    assert len(keys) == len(set(keys)), "a row twice"
    owners = {str(getattr(two.alices, RESOURCES[resource]).key): "alice"}
    owners[str(getattr(two.bobs, RESOURCES[resource]).key)] = "bob"
    return " ".join(sorted(owners[key] for key in keys))


BOTH, ALICE, BOB, NONE = "alice bob", "alice", "bob", ""
