"""The bench's data set is what the application would have written."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Count
from django.utils import timezone

from assets.compute.models import ComputePlan, Task, TaskInput
from assets.compute.queries.copies import renewed, spec_of_plan
from assets.compute.registration import check_compute_plan, counters, register_compute_plan
from assets.datasets.models import Dataset
from assets.feed.models import Event

from .plans import FATES, Plans
from .stock import SAMPLES_PER_DATASET, Sizes, Stock

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
TASKS = 30


@pytest.fixture
def filled(db):
    """Ten datasets and functions, and a plan of each fate."""
    stock = Stock(Sizes(0), 1, BEGIN)
    stock.write()
    made = Plans(stock)
    for number in range(len(FATES)):
        made.add(number, TASKS, BEGIN + timedelta(hours=number), 1)
    made.write()


def plans_with_specs():
    for plan in ComputePlan.objects.order_by("creation_date"):
        yield plan, spec_of_plan(plan)


@pytest.mark.usefixtures("filled")
def test_plans_and_tasks_are_known_by_their_digests():
    """Registering them again finds them, writes nothing, and is a success."""
    before = [Task.objects.count(), Event.objects.count()]
    for plan, spec in plans_with_specs():
        register_compute_plan(spec, plan.creator)
    assert [Task.objects.count(), Event.objects.count()] == before
    assert before[0] == TASKS * len(FATES)


@pytest.mark.usefixtures("filled")
def test_plans_would_be_accepted():
    for plan, spec in plans_with_specs():
        assert check_compute_plan(renewed(spec), plan.creator) == []


@pytest.mark.usefixtures("filled")
def test_what_follows_from_tasks_does():
    statuses = set()
    for plan in ComputePlan.objects.all():
        counted = plan.tasks.values_list("status").annotate(count=Count("pk"))
        assert {status: count for status, count in plan.counts.items() if count} == dict(counted)
        written = [getattr(plan, name) for name in counters.PROGRESS_FIELDS]
        counters.update_progress(plan, timezone.now())
        assert [getattr(plan, name) for name in counters.PROGRESS_FIELDS] == written
        statuses.add(plan.status)
    assert len(statuses) == 5


@pytest.mark.usefixtures("filled")
def test_ranks_follow_from_parents():
    edges = TaskInput.objects.filter(parent_task__isnull=False)
    ranks = list(edges.values_list("task__rank", "parent_task__rank"))
    assert len(ranks) == (TASKS - 10) * len(FATES)
    assert all(rank == above + 1 for rank, above in ranks)


@pytest.mark.usefixtures("filled")
def test_datasets_have_their_samples():
    counts = Dataset.objects.annotate(count=Count("links")).values_list("count", flat=True)
    assert list(counts) == [SAMPLES_PER_DATASET] * 10


@pytest.mark.usefixtures("filled")
def test_the_same_seed_makes_the_same_keys():
    plan = ComputePlan.objects.get(name="Study 3")
    assert str(plan.key) == "1421e4a7-8380-4c9a-ab72-dab04afb48e8"
    assert {key.version for key in plan.tasks.values_list("key", flat=True)} == {4}
