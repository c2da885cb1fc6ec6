"""What plans are built of in tests, and how the plans that come out are compared."""

import json
from typing import Any

from assets.accounts.models import User
from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan
from assets.compute.queries.copies import specs_of
from assets.compute.specs import ComputePlanSpec, OutputSpec, TaskSpec
from tests.builders import (
    PERFORMANCE_OUTPUT,
    PUBLIC,
    aggregate_task,
    child_input,
    make_aggregate,
    make_dataset,
    make_function,
    make_samples,
    plan_spec,
    training_task,
)

from .form_page import FormPage

NEW_PLAN = "/compute-plans/new/"
NEW_TASK = "/tasks/new/"


class Planner:
    """What alice builds with: a dataset, samples, and three functions."""

    def __init__(self, alice: User, session_of: Any) -> None:
        self.user, self.client = alice, session_of(alice)
        self.dataset = make_dataset(alice)
        self.samples = make_samples(alice, self.dataset.key, count=2)
        self.train = make_function(alice)
        self.aggregate = make_aggregate(alice)
        self.score = make_function(alice, name="Score", outputs=(PERFORMANCE_OUTPUT,))

    def page(self, url: str = NEW_PLAN, **query: Any) -> FormPage:
        return FormPage(self.client, url, **query)

    def training(self, **changes: Any) -> TaskSpec:
        return training_task(self.dataset, self.samples, self.train, **changes)

    def add_training(self, page: FormPage, **fields: Any) -> FormPage:
        page.fill(function=self.train.key).press("choose")
        page.fill(task_in_0=self.dataset.key).press("refresh")
        page.press("all:in-1").fill(**fields)
        return page.press("put")


def draft_of(page: FormPage) -> list:
    return json.loads(page.form.data["tasks"][0] or "[]")


def content_of(plan: ComputePlan) -> list:
    """What makes a plan's tasks the same as others', whatever their keys are."""
    keys = {}
    tasks = list(plan.tasks.order_by("rank", "tag", "creation_date", "pk"))
    for number, task in enumerate(tasks):
        keys[task.key] = number
    return [
        (
            spec.function_key,
            spec.worker,
            spec.tag,
            spec.metadata,
            sorted(
                str(ref._replace(parent_task_key=keys.get(ref.parent_task_key)))
                for ref in spec.refs
            ),
            spec.outputs,
            task.rank,
            task.status,
            task.logs_permission_id,
            task.owner_id,
        )
        for task, spec in zip(tasks, specs_of(tasks), strict=True)
    ]


def the_plan(planner: Planner) -> ComputePlanSpec:
    """Train, aggregate, score: three tasks."""
    trained = planner.training(tag="a")
    averaged = aggregate_task(
        planner.aggregate,
        planner.user.organization_id,
        trained,
        tag="b",
        outputs={"model": OutputSpec(PUBLIC, True)},
    )
    scored = training_task(
        planner.dataset,
        planner.samples,
        planner.score,
        tag="c",
        metadata={"round": "1"},
        outputs={"performance": OutputSpec(PUBLIC)},
    )
    scored.inputs = grouped([*scored.refs, child_input(averaged)])
    return plan_spec(
        name="Study", tag="first", metadata={"k": "v"}, tasks=[trained, averaged, scored]
    )
