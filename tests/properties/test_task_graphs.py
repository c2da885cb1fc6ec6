"""Random task graphs through `register_tasks`: in any order, in several batches, in two plans."""

import random
from collections import Counter

import pytest
from django.db.models import Count
from hypothesis import given, strategies as st

from assets.common.errors import Refused
from assets.compute.inputs import grouped
from assets.compute.models import ComputePlan, Task
from assets.compute.registration import register_tasks
from assets.compute.specs import TaskSpec
from assets.compute.statuses import COUNTERS, TaskStatus, initial_status, plan_status
from assets.functions.models import Function, FunctionStatus
from tests import builders

from .helpers import examples, rolled_back
from .test_ranks import naive_rank

pytestmark = pytest.mark.django_db

LIVING = (FunctionStatus.WAITING, FunctionStatus.BUILDING, FunctionStatus.READY)


class Drawn:
    """A random graph: for each task its parents (earlier tasks), function, plan and batch."""

    def __init__(self, draw, statuses) -> None:
        count = draw(st.integers(1, 8))
        self.parents = [
            draw(st.lists(st.integers(0, n - 1), max_size=3, unique=True)) if n else []
            for n in range(count)
        ]
        self.statuses = [draw(st.sampled_from(statuses)) for _ in range(count)]
        self.plans = [draw(st.integers(0, 1)) for _ in range(count)]
        self.batches: list[int] = []
        for number, parents in enumerate(self.parents):
            earliest = max((self._batch_below(parent, number) for parent in parents), default=0)
            self.batches.append(draw(st.integers(earliest, earliest + 1)))
        self.seed = draw(st.integers(0, 9))

    def _batch_below(self, parent: int, child: int) -> int:
        """The first batch that may hold the child: a batch is of one plan."""
        return self.batches[parent] + (self.plans[parent] != self.plans[child])

    def sent(self):
        """The tasks' numbers as they are sent: plan by plan, each batch shuffled."""
        order = random.Random(self.seed)
        for batch, plan in sorted(set(zip(self.batches, self.plans, strict=True))):
            found = [
                number
                for number, where in enumerate(zip(self.batches, self.plans, strict=True))
                if where == (batch, plan)
            ]
            order.shuffle(found)
            yield plan, found


@st.composite
def graphs(draw, statuses=LIVING):
    return Drawn(draw, statuses)


class Registry:
    """Two plans, and a function of each status that takes any number of models."""

    def __init__(self, actor) -> None:
        self.actor = actor
        self.plans = [builders.make_plan(actor) for _ in range(2)]
        self.functions = {}
        for status in FunctionStatus:
            models = builders.FunctionInputSpec("models", "ASSET_MODEL", True, True)
            self.functions[status] = builders.make_function(actor, inputs=(models,))
            Function.objects.filter(pk=self.functions[status].pk).update(status=status)

    def specs(self, graph: Drawn) -> list[TaskSpec]:
        specs: list[TaskSpec] = []
        for parents, status, plan in zip(graph.parents, graph.statuses, graph.plans, strict=True):
            spec = builders.aggregate_task(
                self.functions[status],
                self.actor.organization_id,
                *(specs[parent] for parent in parents),
                compute_plan_key=self.plans[plan].key,
            )
            specs.append(spec)
        return specs


@pytest.fixture
def registry(alice):
    return Registry(alice)


def ranks_of(specs):
    parents = {spec.key: [ref.parent_task_key for ref in spec.inputs] for spec in specs}
    return {spec.key: naive_rank(spec.key, parents, {}) for spec in specs}


def statuses_of(specs, graph):
    found: list[TaskStatus] = []
    for parents, status in zip(graph.parents, graph.statuses, strict=True):
        found.append(initial_status(status, [found[parent] for parent in parents]))
    return {spec.key: status for spec, status in zip(specs, found, strict=True)}


def assert_counters_are_true(plan):
    plan.refresh_from_db()
    rows = Task.objects.filter(compute_plan=plan).values_list("status").annotate(count=Count("*"))
    counted = Counter(dict(rows))
    assert {status: count for status, count in plan.counts.items() if count} == counted
    assert plan.task_count == counted.total()
    assert plan.status == plan_status(counted, cancelled=False)
    assert set(plan.counts) == set(COUNTERS)


def assert_registered(registry, specs, graph):
    rows = Task.objects.filter(compute_plan__in=registry.plans)
    assert dict(rows.values_list("key", "rank")) == ranks_of(specs)
    assert dict(rows.values_list("key", "status")) == statuses_of(specs, graph)
    for plan in registry.plans:
        assert_counters_are_true(plan)


def assert_in_dependency_order(keys, specs):
    by_key = {spec.key: spec for spec in specs}
    for position, key in enumerate(keys):
        parents = {ref.parent_task_key for ref in by_key[key].refs}
        assert not parents.intersection(keys[position:])


@examples(30)
@given(graph=graphs())
def test_in_several_batches_of_two_plans(registry, graph):
    with rolled_back():
        specs = registry.specs(graph)
        for _, numbers in graph.sent():
            batch = [specs[number] for number in numbers]
            keys = register_tasks(batch, registry.actor)
            assert sorted(keys) == sorted(spec.key for spec in batch)
            assert_in_dependency_order(keys, specs)
        assert_registered(registry, specs, graph)


@examples(20)
@given(graph=graphs(statuses=tuple(FunctionStatus)))
def test_at_once_with_functions_of_any_status(registry, graph):
    """Below a task that fails at once, everything is cancelled at once."""
    with rolled_back():
        graph.plans, graph.batches = [0] * len(graph.plans), [0] * len(graph.plans)
        specs = registry.specs(graph)
        [(_, numbers)] = graph.sent()
        register_tasks([specs[number] for number in numbers], registry.actor)
        assert_registered(registry, specs, graph)


@examples(20)
@given(graph=graphs())
def test_sent_again_in_any_mixture_changes_nothing(registry, graph):
    with rolled_back():
        specs = registry.specs(graph)
        for _, numbers in graph.sent():
            register_tasks([specs[number] for number in numbers], registry.actor)
        before = list(ComputePlan.objects.order_by("key").values())
        for plan in (0, 1):
            again = [spec for spec, where in zip(specs, graph.plans, strict=True) if where == plan]
            random.Random(graph.seed).shuffle(again)
            if again:
                keys = register_tasks(again, registry.actor)
                assert sorted(keys) == sorted(spec.key for spec in again)
                assert_in_dependency_order(keys, specs)
        assert_registered(registry, specs, graph)
        assert list(ComputePlan.objects.order_by("key").values()) == before


@examples(20)
@given(graph=graphs(), data=st.data())
def test_with_a_cycle_nothing_is_registered(registry, graph, data):
    with rolled_back():
        graph.plans = [0] * len(graph.plans)
        specs = registry.specs(graph)
        first = data.draw(st.integers(0, len(specs) - 1))
        # Close a circle: from the task through its last descendant back to itself.
        last = first
        for number, parents in enumerate(graph.parents):
            if last in parents:
                last = number
        specs[first].inputs = grouped(
            [*specs[first].refs, builders.child_input(specs[last], "models")]
        )
        ranks = ranks_of(specs)
        with pytest.raises(Refused) as refused:
            register_tasks(specs, registry.actor)
        left_out = [spec.key for spec in specs if ranks[spec.key] is None]
        assert f"unsorted_tasks_count: {len(left_out)}" in refused.value.first.message
        blamed = {int(problem.field[6:].split("]")[0]) for problem in refused.value.problems}
        assert blamed == {number for number, spec in enumerate(specs) if spec.key in left_out}
        assert not Task.objects.exists()
