"""Plans in every stage, and what pages say."""

import re
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.utils import timezone

from assets.compute.inputs import InputRef, grouped
from assets.compute.models import ComputePlan, Task
from assets.compute.registration import counters
from assets.compute.specs import OutputSpec
from assets.compute.statuses import COUNTERS
from tests.builders import (
    OPENER_INPUT,
    PERFORMANCE_OUTPUT,
    PUBLIC,
    SAMPLES_INPUT,
    child_input,
    make_dataset,
    make_function,
    make_plan,
    make_samples,
    only_to,
    training_task,
)

from .planning import Planner


def text_of(html):
    """What a page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def panel(html, id):
    """The panel below the heading with this id; blank when the page does not have it."""
    found = re.search(
        rf'<section class="panel"[^>]* aria-labelledby="{id}-heading">(.*?)</section>',
        html,
        re.DOTALL,
    )
    return found[1] if found else ""


def recount(plan):
    """Bring a plan's counters, status and dates in line with its tasks, as a worker would."""
    for column in COUNTERS.values():
        setattr(plan, column, 0)
    plan.task_count = 0
    counters.count_in(plan, list(plan.tasks.values_list("status", flat=True)))
    counters.update_progress(plan, timezone.now())
    plan.save()


@pytest.fixture
def study(alice, org_b):
    """A plan of A: two tasks train, the second one on the first one's model; a third measures.

    The first one's model may be used by A and B, the second one's by A only.
    """
    dataset = make_dataset(alice, logs_permission=only_to(org_b.pk))
    samples = make_samples(alice, dataset.key, count=2)
    train = make_function(alice, name="Train")
    score = make_function(
        alice,
        name="Score",
        inputs=(OPENER_INPUT, SAMPLES_INPUT),
        outputs=(PERFORMANCE_OUTPUT,),
    )
    first = training_task(
        dataset, samples, train, tag="round one", outputs={"model": OutputSpec(only_to(org_b.pk))}
    )
    second = training_task(dataset, samples, train)
    second.inputs = grouped([*second.refs, child_input(first)])
    third = training_task(
        dataset, samples, score, key=uuid4(), outputs={"performance": OutputSpec(PUBLIC)}
    )
    plan = make_plan(alice, first, second, third, metadata={"disease": "flu"})
    return SimpleNamespace(
        dataset=dataset,
        samples=samples,
        train=train,
        score=score,
        plan=plan,
        first=Task.objects.get(pk=first.key),
        second=Task.objects.get(pk=second.key),
        third=Task.objects.get(pk=third.key),
    )


@pytest.fixture
def plan_of(alice):
    """Make a plan of A with `count` tasks, each of which feeds the next."""

    def make(count, **changes) -> ComputePlan:
        dataset = make_dataset(alice)
        (sample,) = make_samples(alice, dataset.key)
        function = make_function(alice)
        specs = [training_task(dataset, [sample], function) for _ in range(count)]
        for parent, child in zip(specs, specs[1:], strict=False):
            child.inputs = grouped([*child.refs, InputRef("shared", None, parent.key, "model")])
        return make_plan(alice, *specs, **changes)

    return make


@pytest.fixture
def planner(alice, session_of) -> Planner:
    """What alice builds plans of, in a browser of hers."""
    return Planner(alice, session_of)
