"""Requests that arrive at the same time: one of them wins, and none sees half of another."""

from contextlib import suppress
from datetime import timedelta
from functools import partial
from threading import Barrier, BrokenBarrierError
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction

from assets.accounts.registration.users import change_role
from assets.common.asset_keys import AssetKeys
from assets.common.audit import Action
from assets.common.errors import Code, Refused
from assets.common.kinds import AssetKind
from assets.compute.models import ComputePlan, Task, TaskInput, TaskOutput
from assets.compute.registration import cancel_compute_plan, register_compute_plan, register_tasks
from assets.compute.specs import ComputePlanSpec
from assets.compute.statuses import FINAL
from assets.datasets.models import DataSampleLink, SampleSet, SampleSetMember
from assets.datasets.registration import intern_sample_sets, link_data_samples
from assets.feed import registration
from assets.feed.models import Event
from assets.functions.models import Function, FunctionStatus
from assets.permissions.models import Permissions
from assets.permissions.registration import intern_permissions
from assets.permissions.specs import PermissionsSpec
from assets.uploads import registration as uploads
from assets.uploads.models import Upload
from tests import builders

from .stored import inserted_payloads, row_counts
from .threads import THREADS, at_once, refusals

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("shared_database"),
]


@pytest.fixture
def function(alice):
    """Takes any number of models, or none; makes a model."""
    models = builders.FunctionInputSpec("models", "ASSET_MODEL", multiple=True, optional=True)
    return builders.make_function(alice, inputs=(models,))


@pytest.fixture
def task(function):
    """Make a task that is A's to run, below the given parents."""
    return lambda *parents, **changes: builders.aggregate_task(
        function, "MyOrg1MSP", *parents, **changes
    )


def test_threads_see_one_database(alice):
    """Or else the tests below would prove nothing."""
    assert at_once(*[lambda: type(alice).objects.get(pk=alice.pk).username] * 3) == ["alice"] * 3
    if connection.vendor == "sqlite":
        assert not connection.is_in_memory_db()


# --- Names and roles ---


@pytest.mark.parametrize(
    "make", [builders.make_dataset, builders.make_function, builders.make_plan]
)
def test_renames_record_the_name_before_their_own(make, alice):
    """Each rename knows the asset by its first name; the trail is a chain all the same."""
    asset = make(alice)
    rows = [type(asset).objects.get(pk=asset.pk) for _ in range(THREADS)]
    at_once(*(partial(registration.rename, alice, row, f"name {n}") for n, row in enumerate(rows)))
    renames = Event.objects.filter(action="renamed").order_by("pk")
    names = [asset.name, *(event.asset_name for event in renames)]
    assert [event.detail["old_name"] for event in renames] == names[:-1]
    assert type(asset).objects.get(pk=asset.pk).name == names[-1]
    assert len(set(names)) == THREADS + 1


def test_roles_record_the_role_before_their_own(alice, ada):
    users = [type(alice).objects.get(pk=alice.pk) for _ in range(4)]
    roles = ["viewer", "admin"] * 2
    at_once(*(partial(change_role, user, r, ada) for user, r in zip(users, roles, strict=True)))
    changes = [
        event.detail["changed"]
        for event in Event.objects.filter(action="changed", asset_name="alice").order_by("pk")
    ]
    assert changes
    role = "member"
    for change in changes:
        after, before = change.removeprefix("role: ").split(", before: ")
        assert before == role
        role = after
    assert type(alice).objects.get(pk=alice.pk).role == role


def test_parts_of_a_file_at_once_are_one_download(alice, monkeypatch):
    looked, is_written = Barrier(2), registration._is_written

    def look_together(event, once):
        found = is_written(event, once)
        # Neither goes on before both have looked, unless one waits for the other.
        with suppress(BrokenBarrierError):
            looked.wait(0.5)
        return found

    monkeypatch.setattr(registration, "_is_written", look_together)
    download = partial(
        registration.record_private,
        Action.DOWNLOADED,
        AssetKind.DATA_MANAGER,
        key=uuid4(),
        actor=alice,
        once=timedelta(minutes=1),
    )
    at_once(download, download)
    assert Event.objects.filter(action=Action.DOWNLOADED).count() == 1


def test_uploads_at_once_find_room_for_one(alice, settings, monkeypatch):
    settings.MAX_WAITING_FILES = 1
    looked, check_room = Barrier(2), uploads._check_room

    def look_together(user, size):
        check_room(user, size)
        with suppress(BrokenBarrierError):
            looked.wait(0.5)

    monkeypatch.setattr(uploads, "_check_room", look_together)
    outcomes = at_once(*[lambda: uploads.stage(alice, ContentFile(b"1", "a.zip"))] * 2)
    assert len(refusals(outcomes)) == 1
    assert Upload.objects.count() == 1


# --- The same content ----------------------------------------------------------------------------


def test_the_same_plan_with_tasks(alice, task):
    parent = task()
    key, tasks = uuid4(), [parent, task(parent), task()]
    before = row_counts()

    def register():
        plan = register_compute_plan(ComputePlanSpec(key, "Study", tasks=tasks), alice)
        return plan.key, plan.task_count

    outcomes = at_once(*[register] * THREADS)
    assert outcomes == [(key, 3)] * THREADS
    after = row_counts()
    added = {name: after[name] - before[name] for name in after if after[name] != before[name]}
    added.pop("Permissions", None)
    assert added == {"ComputePlan": 1, "Task": 3, "TaskInput": 1, "TaskOutput": 3, "Event": 4}


def test_the_same_lists_of_samples(alice):
    """Each is inserted by one of the transactions, and the others find it."""
    samples = builders.make_samples(alice, builders.make_dataset(alice).key, count=6)
    keys = [sample.key for sample in samples]
    lists = [AssetKeys(keys[:count]) for count in range(1, 7)]
    intern = transaction.atomic(intern_sample_sets)
    orders = (lists if n % 2 else lists[::-1] for n in range(THREADS))
    outcomes = at_once(*(partial(intern, order) for order in orders))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert (SampleSet.objects.count(), SampleSetMember.objects.count()) == (6, 21)


def test_the_same_tasks(alice, task):
    plan = builders.make_plan(alice)
    parent = task(compute_plan_key=plan.key)
    tasks = [task(parent, compute_plan_key=plan.key), parent]
    outcomes = at_once(*[lambda: register_tasks(tasks, alice)] * THREADS)
    assert outcomes == [[parent.key, tasks[0].key]] * THREADS
    assert (Task.objects.count(), TaskInput.objects.count(), TaskOutput.objects.count()) == (
        2,
        1,
        2,
    )
    plan.refresh_from_db()
    assert (plan.task_count, plan.waiting_builder_slot_count) == (2, 2)
    registered = Event.objects.filter(asset_key__in=[spec.key for spec in tasks])
    assert registered.count() == 2


def test_the_same_through_the_api(alice, client_of, task):
    """Plan and tasks as the SDK sends them: twice over, by impatient clients."""
    spec = builders.plan_spec(tasks=[task(), task()])
    wire_tasks = [builders.wire_task(item, spec.key) for item in spec.tasks]
    clients = [client_of(alice) for _ in range(THREADS)]

    def send(client):
        plan = client.post("/api/compute_plan/", builders.wire_plan(spec), format="json")
        tasks = client.post("/api/task/bulk_create/", {"tasks": wire_tasks}, format="json")
        return plan.status_code, plan.json()["key"], tasks.status_code, len(tasks.json())

    outcomes = at_once(*[lambda client=client: send(client) for client in clients])
    assert outcomes == [(201, str(spec.key), 200, 2)] * THREADS
    assert (ComputePlan.objects.count(), Task.objects.count()) == (1, 2)


def test_the_same_links(alice):
    dataset, other = (builders.make_dataset(alice) for _ in range(2))
    samples = [sample.key for sample in builders.make_samples(alice, dataset.key, count=3)]
    calls = [lambda: link_data_samples([dataset.key, other.key], samples, alice)] * THREADS
    assert at_once(*calls) == [None] * THREADS
    assert DataSampleLink.objects.count() == 6


def test_links_are_made_in_one_order(alice):
    """So that two requests with the same keys never wait for each other's links."""
    datasets = sorted(builders.make_dataset(alice).key for _ in range(3))
    samples = sorted(sample.key for sample in builders.make_samples(alice, datasets[0], count=5))
    with inserted_payloads() as payloads:
        link_data_samples(datasets[::-1], samples[::-1], alice)
    rows = [(row["data_sample_id"], row["dataset_id"]) for row in payloads[0]]
    assert rows == [(str(sample), str(dataset)) for sample in samples for dataset in datasets]


def test_the_same_permissions(org_a, org_b):
    value = PermissionsSpec(False, ("MyOrg1MSP", "MyOrg2MSP"))

    def intern():
        with transaction.atomic():
            return intern_permissions([value, PermissionsSpec(True)])[value]

    keys = at_once(*[intern] * THREADS)
    assert len(set(keys)) == 1
    assert Permissions.objects.count() == 2
    row = Permissions.objects.get(pk=keys[0])
    assert sorted(row.organizations.values_list("pk", flat=True)) == list(value.authorized_ids)


# --- Other content under the same key -------------------------------------------------------------


def assert_one_won(outcomes, key):
    lost = refusals(outcomes)
    assert len(lost) == THREADS - 1
    for refusal in lost:
        assert (refusal.first.code, refusal.first.key) == (Code.CONFLICT, str(key))


def test_other_plans_under_one_key(alice):
    key = uuid4()
    calls = [
        lambda n=n: register_compute_plan(ComputePlanSpec(key, f"Study {n}"), alice)
        for n in range(THREADS)
    ]
    outcomes = at_once(*calls)
    assert_one_won(outcomes, key)
    [winner] = [outcome for outcome in outcomes if not isinstance(outcome, Refused)]
    assert ComputePlan.objects.get().name == winner.name


def test_plans_of_other_organisations_under_one_key(alice, bob, carol):
    key, actors = uuid4(), [alice, bob, carol]
    calls = [
        lambda actor=actor: register_compute_plan(ComputePlanSpec(key, "Study"), actor).owner_id
        for actor in actors
    ]
    outcomes = at_once(*calls)
    assert len(refusals(outcomes)) == 2
    assert ComputePlan.objects.get().owner_id in outcomes


@pytest.mark.parametrize("plans", [1, THREADS], ids=["in one plan", "in plans of their own"])
def test_other_tasks_under_one_key(alice, task, plans):
    key = uuid4()
    found = [builders.make_plan(alice) for _ in range(plans)] * (THREADS // plans)
    specs = [
        task(key=key, compute_plan_key=plan.key, tag=f"tag {n}") for n, plan in enumerate(found)
    ]
    outcomes = at_once(*[lambda spec=spec: register_tasks([spec], alice) for spec in specs])
    assert_one_won(outcomes, key)
    assert Task.objects.get().tag == specs[outcomes.index([key])].tag
    for plan in ComputePlan.objects.all():
        assert plan.task_count == plan.tasks.count()


# --- Different tasks -----------------------------------------------------------------------------


def test_counters_after_parallel_batches(alice, task):
    plan = builders.make_plan(alice)
    batches = [[task(compute_plan_key=plan.key) for _ in range(5)] for _ in range(THREADS)]
    for batch in batches:
        batch.append(task(*batch, compute_plan_key=plan.key))
    outcomes = at_once(*[lambda batch=batch: register_tasks(batch, alice) for batch in batches])
    assert not refusals(outcomes)
    plan.refresh_from_db()
    assert plan.task_count == plan.waiting_builder_slot_count == plan.tasks.count() == 6 * THREADS
    assert plan.tasks.filter(rank=1).count() == THREADS


def test_cancelling_while_tasks_arrive(alice, task):
    """Whoever comes first: no open task is left in a cancelled plan."""
    Function.objects.update(status=FunctionStatus.READY)
    plan = builders.make_plan(alice, task())
    batches = [[task(compute_plan_key=plan.key) for _ in range(3)] for _ in range(THREADS)]
    calls = [lambda batch=batch: register_tasks(batch, alice) for batch in batches]
    outcomes = at_once(*calls, lambda: cancel_compute_plan(plan.key, alice))
    assert {refusal.first.code for refusal in refusals(outcomes)} <= {Code.TERMINATED}
    plan.refresh_from_db()
    assert not plan.tasks.exclude(status__in=FINAL).exists()
    assert plan.task_count == plan.canceled_count == plan.tasks.count()


def test_children_of_each_other_s_plans(alice, task):
    """All plans that a batch is concerned with are locked in one order: none waits for ever."""
    for _ in range(5):
        parents = [task(), task()]
        plans = [builders.make_plan(alice, parent) for parent in parents]
        children = [
            task(parent, compute_plan_key=plan.key)
            for parent, plan in zip(parents, reversed(plans), strict=True)
        ]
        calls = [lambda child=child: register_tasks([child], alice) for child in children * 3]
        assert not refusals(at_once(*calls))
        for plan in plans:
            plan.refresh_from_db()
            assert plan.task_count == plan.tasks.count() == 2


def test_the_same_keys_in_opposite_order(alice, task):
    """Two batches that hold each other's keys: one wins as a whole."""
    keys = [uuid4() for _ in range(20)]
    plans = [builders.make_plan(alice) for _ in range(2)]
    batches = [
        [task(key=key, compute_plan_key=plan.key) for key in order]
        for plan, order in zip(plans, (keys, keys[::-1]), strict=True)
    ]
    outcomes = at_once(*[lambda batch=batch: register_tasks(batch, alice) for batch in batches])
    assert len(refusals(outcomes)) == 1
    assert sorted(plan.tasks.count() for plan in plans) == [0, len(keys)]
