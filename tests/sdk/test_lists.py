"""Lists of compute plans and of tasks: filters, orders, pages."""

from collections import Counter

import pytest

from .refusals import refused, unknown_key
from .specs import AGGREGATE, keys_of, unique

pytestmark = [pytest.mark.sdk, pytest.mark.postgresql]

CREATED, DOING, DONE = (f"PLAN_STATUS_{word}" for word in ("CREATED", "DOING", "DONE"))
WAITING, EXECUTING = "STATUS_WAITING_FOR_BUILDER_SLOT", "STATUS_EXECUTING"


def condition(key: str, kind: str, value: str | None = None) -> list[dict]:
    """A filter by metadata; without a value, that the key is there."""
    return [{"key": key, "type": kind} | ({} if value is None else {"value": value})]


# Filters by metadata, and whether they find what `stock.described` has.
METADATA = {
    "is": (condition("ward", "is", "7"), True),
    "is not": (condition("ward", "is", "77"), False),
    "is, with spaces": (condition("disease name", "is", "Heart failure"), True),
    "is, in other case": (condition("disease name", "is", "heart failure"), False),
    "contains, with spaces": (condition("disease name", "contains", "art fail"), True),
    "contains, in other case": (condition("disease name", "contains", "HEART"), True),
    "contains not": (condition("disease name", "contains", "lung"), False),
    "contains a wildcard": (condition("disease name", "contains", "%"), False),
    "exists": (condition("ward", "exists"), True),
    "exists, with spaces": (condition("disease name", "exists"), True),
    "exists not": (condition("hospital", "exists"), False),
    "both": (condition("ward", "exists") + condition("disease name", "contains", "rt"), True),
    "one of two": (condition("ward", "is", "7") + condition("hospital", "exists"), False),
}


class TestPlans:
    def test_newest_first_or_oldest_first(self, alice, specs):
        name = unique("Studie")
        added = [alice.add_compute_plan(specs.plan(name=f"{name} {n}"))["key"] for n in range(3)]
        by_name = {"name": name}
        assert keys_of(alice.list_compute_plan(by_name)) == added[::-1]
        assert keys_of(alice.list_compute_plan(by_name, ascending=True)) == added
        assert alice.list_compute_plan({"name": f"{name} none"}) == []

    def test_list_compute_plan_gives_what_get_gives(self, alice, specs, stock):
        plan = alice.add_compute_plan(specs.plan(stock.training()))
        found = alice.list_compute_plan({"key": [plan["key"]]})
        assert found == [alice.get_compute_plan(plan["key"])]

    @pytest.mark.parametrize("date", ["start_date", "end_date"])
    def test_in_order_of(self, alice, specs, stock, worker, date):
        name = unique()
        tasks = [stock.training() for _ in range(3)]
        plans = [alice.add_compute_plan(specs.plan(task, name=name))["key"] for task in tasks]
        for task in (tasks[1], tasks[2], tasks[0]):
            worker.ask("set_tasks", keys=[task["task_id"]], status="STATUS_DONE")
        expected = [plans[1], plans[2], plans[0]]
        for ascending in (True, False):
            found = alice.list_compute_plan({"name": name}, order_by=date, ascending=ascending)
            assert keys_of(found) == (expected if ascending else expected[::-1])

    def test_in_an_order_that_the_sdk_refuses(self, alice):
        with refused("OrderingFormatError"):
            alice.list_compute_plan(order_by="name")

    def test_by_owner(self, alice, bob, specs):
        name = unique()
        mine, his = (c.add_compute_plan(specs.plan(name=name))["key"] for c in (alice, bob))
        by_owner = {"name": name, "owner": ["MyOrg2MSP"]}
        assert keys_of(alice.list_compute_plan(by_owner)) == [his]
        by_owner["owner"].append("MyOrg1MSP")
        assert keys_of(alice.list_compute_plan(by_owner)) == [his, mine]

    def test_by_status(self, alice, specs, stock, worker):
        name = unique()
        tasks = {CREATED: stock.training(), DOING: stock.training(), DONE: stock.training()}
        plans = {
            status: alice.add_compute_plan(specs.plan(task, name=name))["key"]
            for status, task in tasks.items()
        }
        worker.ask("set_tasks", keys=[tasks[DOING]["task_id"]], status=EXECUTING)
        worker.ask("set_tasks", keys=[tasks[DONE]["task_id"]], status="STATUS_DONE")
        for wanted in ([CREATED], [DOING], [DONE], [DONE, CREATED]):
            found = alice.list_compute_plan({"name": name, "status": wanted})
            assert set(keys_of(found)) == {plans[status] for status in wanted}
            assert {plan["status"] for plan in found} == set(wanted)

    def test_by_a_status_that_is_none(self, alice):
        with refused("InvalidRequest", "Select a valid choice. PLAN_STATUS_ASLEEP"):
            alice.list_compute_plan({"status": ["PLAN_STATUS_ASLEEP"]})

    @pytest.mark.parametrize("what", METADATA)
    def test_by_metadata(self, alice, stock, what):
        conditions, finds = METADATA[what]
        key, _ = stock.described
        found = alice.list_compute_plan({"key": [key], "metadata": conditions})
        assert keys_of(found) == ([key] if finds else [])

    def test_by_what_tasks_use(self, alice, specs, stock):
        dataset = alice.add_dataset(specs.dataset())
        sample = alice.add_data_sample(specs.sample(dataset))
        function = alice.add_function(specs.function())
        inputs = [
            {"identifier": "opener", "asset_key": dataset},
            {"identifier": "datasamples", "asset_key": sample},
        ]
        tasks = [stock.training(inputs=inputs, function_key=function) for _ in range(2)]
        plan = alice.add_compute_plan(specs.plan(*tasks))["key"]
        used = {"dataset_key": dataset, "data_sample_key": sample, "function_key": function}
        for name, key in used.items():
            assert keys_of(alice.list_compute_plan({name: [key]})) == [plan]
            assert alice.list_compute_plan({name: [unknown_key()]}) == []

    def test_by_worker(self, alice, specs, stock):
        name = unique()
        here, there = (
            alice.add_compute_plan(specs.plan(stock.aggregating(worker=worker), name=name))["key"]
            for worker in ("MyOrg1MSP", "MyOrg2MSP")
        )
        for workers, plans in {
            ("MyOrg1MSP",): [here],
            ("MyOrg2MSP",): [there],
            ("MyOrg1MSP", "MyOrg2MSP"): [there, here],
            ("MyOrg3MSP",): [],
        }.items():
            found = alice.list_compute_plan({"name": name, "worker": workers})
            assert keys_of(found) == plans


class TestTasks:
    def test_more_than_two_pages(self, alice, specs, stock):
        """In pages of a hundred, whose parameters the SDK repeats; nothing twice, nothing lost."""
        tasks = [stock.training(metadata={"n": str(n)}) for n in range(230)]
        plan = alice.add_compute_plan(specs.plan(*tasks))["key"]
        filters = {
            "compute_plan_key": [plan],
            "status": [WAITING],
            "owner": ["MyOrg1MSP"],
            "metadata": condition("n", "exists"),
        }
        down, up = (alice.list_task(filters, ascending=ascending) for ascending in (False, True))
        assert Counter(keys_of(down)) == Counter(task["task_id"] for task in tasks)
        assert keys_of(down) == keys_of(up)[::-1]

    def test_list_task_gives_what_get_gives(self, alice, specs, stock):
        tasks = [stock.training(), stock.scoring()]
        plan = alice.add_compute_plan(specs.plan(*tasks))["key"]
        found = {task["key"]: task for task in alice.list_task({"compute_plan_key": [plan]})}
        assert found == {task["task_id"]: alice.get_task(task["task_id"]) for task in tasks}

    def test_by_key_and_by_rank(self, alice, specs, stock):
        first = stock.training()
        second = stock.aggregating(first)
        third = stock.aggregating(first, second)
        ids = [task["task_id"] for task in (first, second, third)]
        plan = alice.add_compute_plan(specs.plan(first, second, third))["key"]
        assert keys_of(alice.list_task({"key": ids[:1]})) == ids[:1]
        assert alice.list_task({"key": [unknown_key()]}) == []
        for ranks, found in {(0,): ids[:1], (2,): ids[2:], (0, 1): ids[:2], (3,): []}.items():
            listed = alice.list_task({"compute_plan_key": [plan], "rank": ranks})
            assert set(keys_of(listed)) == set(found)

    def test_by_owner_worker_and_function(self, alice, bob, specs, stock):
        function = alice.add_function(specs.function(**AGGREGATE))
        mine, his = (
            c.add_compute_plan(specs.plan(stock.aggregating(function_key=function, worker=w)))
            for c, w in ((alice, "MyOrg2MSP"), (bob, "MyOrg3MSP"))
        )

        def plans(**filters: list[str]) -> list[str]:
            found = alice.list_task({"function_key": [function], **filters})
            return [task["compute_plan_key"] for task in found]

        assert plans() == [his["key"], mine["key"]]
        assert plans(owner=["MyOrg1MSP"]) == [mine["key"]]
        assert plans(owner=["MyOrg1MSP", "MyOrg2MSP"]) == [his["key"], mine["key"]]
        assert plans(worker=["MyOrg3MSP"]) == [his["key"]]
        assert plans(worker=["MyOrg1MSP"]) == []
        assert plans(compute_plan_key=[mine["key"]]) == [mine["key"]]
        assert alice.list_task({"function_key": [unknown_key()]}) == []

    def test_by_status(self, alice, specs, stock, worker):
        waiting, executing = stock.training(), stock.training()
        plan = alice.add_compute_plan(specs.plan(waiting, executing))["key"]
        worker.ask("set_tasks", keys=[executing["task_id"]], status=EXECUTING)
        ids = {WAITING: waiting["task_id"], EXECUTING: executing["task_id"]}
        for wanted in ([WAITING], [EXECUTING], [WAITING, EXECUTING]):
            found = alice.list_task({"compute_plan_key": [plan], "status": wanted})
            assert {task["key"]: task["status"] for task in found} == {
                ids[status]: status for status in wanted
            }
        with refused("InvalidRequest", "Select a valid choice. STATUS_ASLEEP"):
            alice.list_task({"status": ["STATUS_ASLEEP"]})

    @pytest.mark.parametrize("what", METADATA)
    def test_by_metadata(self, alice, stock, what):
        conditions, finds = METADATA[what]
        plan, task = stock.described
        found = alice.list_task({"compute_plan_key": [plan], "metadata": conditions})
        assert keys_of(found) == ([task] if finds else [])

    @pytest.mark.parametrize("date", ["start_date", "end_date"])
    def test_in_order_of(self, alice, specs, stock, worker, date):
        tasks = [stock.training() for _ in range(3)]
        plan = alice.add_compute_plan(specs.plan(*tasks))["key"]
        expected = [tasks[n]["task_id"] for n in (1, 2, 0)]
        for key in expected:
            worker.ask("set_tasks", keys=[key], status=EXECUTING)
            worker.ask("set_tasks", keys=[key], status="STATUS_DONE")
        by_plan = {"compute_plan_key": [plan]}
        assert keys_of(alice.list_task(by_plan, order_by=date, ascending=True)) == expected
        assert keys_of(alice.list_task(by_plan, order_by=date)) == expected[::-1]


class TestManyKeys:
    def test_five_hundred_keys_over_two_pages(self, alice, specs, stock):
        """The SDK sends them all again with the link to each next page."""
        tasks = [stock.training() for _ in range(130)]
        alice.add_compute_plan(specs.plan(*tasks))
        own = [task["task_id"] for task in tasks]
        found = alice.list_task({"key": [*own, *(unknown_key() for _ in range(370))]})
        assert sorted(keys_of(found)) == sorted(own)
