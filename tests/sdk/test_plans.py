"""Compute plans: add, add tasks, get, update, cancel, wait."""

from collections import Counter
from threading import Timer
from uuid import UUID, uuid4

import pytest

from .refusals import refused, unknown_key
from .specs import keys_of, unique

pytestmark = pytest.mark.sdk

COUNTERS = {
    "waiting_builder_slot_count": 0,
    "building_count": 0,
    "waiting_parent_tasks_count": 0,
    "waiting_executor_slot_count": 0,
    "executing_count": 0,
    "canceled_count": 0,
    "failed_count": 0,
    "done_count": 0,
}
DATES = {
    "start_date": None,
    "end_date": None,
    "estimated_end_date": None,
    "duration": 0,
    "failed_task_key": None,
}


class TestAdd:
    def test_add_compute_plan_without_tasks(self, alice, specs):
        spec = specs.plan(name="Studie Äquator", tag="erste", metadata={"Ort": "Köln", "leer": ""})
        added = alice.add_compute_plan(spec)
        assert added == alice.get_compute_plan(spec["key"])
        assert added.pop("creation_date").endswith("Z")
        assert added == {
            **COUNTERS,
            **DATES,
            "key": spec["key"],
            "name": "Studie Äquator",
            "tag": "erste",
            "owner": "MyOrg1MSP",
            "metadata": {"Ort": "Köln", "leer": ""},
            "creator": "alice",
            "status": "PLAN_STATUS_CREATED",
            "task_count": 0,
        }

    def test_with_tasks(self, alice, specs, stock):
        """Given children first; the SDK and the server put them in order."""
        first, second = stock.training(), stock.training()
        last = stock.aggregating(first, second, tag="last", metadata={"round_idx": "1"})
        plan = alice.add_compute_plan(specs.plan(last, second, first))
        found = alice.get_compute_plan(plan["key"])
        assert (found["task_count"], found["waiting_builder_slot_count"]) == (3, 3)
        assert found["status"] == "PLAN_STATUS_CREATED"
        tasks = alice.list_task({"compute_plan_key": [plan["key"]]})
        assert {task["key"]: task["rank"] for task in tasks} == {
            first["task_id"]: 0,
            second["task_id"]: 0,
            last["task_id"]: 1,
        }

    def test_with_little_more_than_a_key(self, alice):
        name = unique()
        added = alice.add_compute_plan({"name": name})
        assert UUID(added["key"])
        assert (added["name"], added["tag"], added["metadata"]) == (name, "", {})

    def test_with_more_tasks_than_a_batch_holds(self, alice, specs, stock):
        """Two batches of the SDK's own size, and a list of many pages."""
        firsts = [stock.training() for _ in range(300)]
        children = [stock.aggregating(first) for first in firsts]
        spec = specs.plan(*children, *firsts)
        alice.add_compute_plan(spec)
        assert alice.get_compute_plan(spec["key"])["task_count"] == 600
        listed = alice.list_task({"compute_plan_key": [spec["key"]]})
        assert Counter(keys_of(listed)) == Counter(task["task_id"] for task in spec["tasks"])
        ranks = {task["key"]: task["rank"] for task in listed}
        assert {ranks[task["task_id"]] for task in firsts} == {0}
        assert {ranks[task["task_id"]] for task in children} == {1}

    @pytest.mark.parametrize(
        "batching",
        [{"auto_batching": False}, {"batch_size": 2}],
        ids=["no batching", "small batches"],
    )
    def test_in_other_batches(self, alice, specs, stock, batching):
        tasks = [stock.training() for _ in range(5)]
        plan = alice.add_compute_plan(specs.plan(*tasks), **batching)
        assert alice.get_compute_plan(plan["key"])["task_count"] == 5

    def test_an_empty_batch_is_refused(self, alice, specs):
        """The SDK sends one when a plan without tasks is not to be batched."""
        spec = specs.plan()
        with refused("InvalidRequest", "Invalid compute plan key"):
            alice.add_compute_plan(spec, auto_batching=False)
        assert alice.get_compute_plan(spec["key"])["task_count"] == 0

    @pytest.mark.parametrize("spell", [str.upper, lambda key: key.replace("-", "")])
    def test_key_in_another_spelling(self, alice, specs, stock, spell):
        key = str(uuid4())
        plan = alice.add_compute_plan(specs.plan(stock.training(), key=spell(key)))
        assert plan["key"] == key
        assert alice.get_compute_plan(key)["task_count"] == 1

    @pytest.mark.parametrize(
        ("changes", "phrase"),
        [
            ({"name": ""}, "name: cannot be blank"),
            ({"name": "n" * 101}, "name: the length must be between 1 and 100"),
            ({"tag": "t" * 101}, "tag: the length must be between 0 and 100"),
            ({"metadata": {"a__b": "1"}}, '"__" cannot be used in a metadata key'),
            ({"metadata": {"a": "v" * 101}}, "is too long"),
        ],
        ids=["no name", "long name", "long tag", "metadata __", "long metadata"],
    )
    def test_refused(self, alice, specs, changes, phrase):
        spec = specs.plan(**changes)
        with refused("InvalidRequest", "OE0101", phrase):
            alice.add_compute_plan(spec)
        with refused("NotFound"):
            alice.get_compute_plan(spec["key"])

    def test_all_or_nothing(self, alice, specs, stock):
        bad = stock.training(worker="MyOrg2MSP")
        spec = specs.plan(stock.training(), bad)
        with refused("InvalidRequest", "OE0003", "does not match data manager owner"):
            alice.add_compute_plan(spec)
        with refused("NotFound"):
            alice.get_compute_plan(spec["key"])

    def test_key_that_is_none_is_refused_by_the_sdk(self, alice, specs):
        with refused("ComputePlanKeyFormatError"):
            alice.add_compute_plan(specs.plan(key="no-key"))

    def test_viewers_register_nothing(self, victor, specs):
        with refused("AuthorizationError", "viewer"):
            victor.add_compute_plan(specs.plan())


class TestAddAgain:
    def test_the_same_is_a_success(self, alice, specs, stock):
        spec = specs.plan(stock.training(), stock.training())
        first, again = alice.add_compute_plan(spec), alice.add_compute_plan(spec)
        assert again["key"] == first["key"] == spec["key"]
        assert alice.get_compute_plan(spec["key"])["task_count"] == 2

    def test_with_more_tasks(self, alice, specs, stock):
        spec = specs.plan(stock.training())
        alice.add_compute_plan(spec)
        alice.add_compute_plan({**spec, "tasks": [*spec["tasks"], stock.training()]})
        assert alice.get_compute_plan(spec["key"])["task_count"] == 2

    def test_another_content_is_a_conflict(self, alice, specs):
        spec = specs.plan()
        alice.add_compute_plan(spec)
        with refused("AlreadyExists", spec["key"]):
            alice.add_compute_plan({**spec, "name": "Other"})
        assert alice.get_compute_plan(spec["key"])["name"] == "Study"

    def test_another_owner_is_a_conflict(self, alice, bob, specs):
        spec = specs.plan()
        alice.add_compute_plan(spec)
        with refused("AlreadyExists", spec["key"]):
            bob.add_compute_plan(spec)
        assert alice.get_compute_plan(spec["key"])["owner"] == "MyOrg1MSP"


class TestAddTasks:
    def test_add_compute_plan_tasks(self, alice, specs, stock):
        first = stock.training()
        plan = alice.add_compute_plan(specs.plan(first))
        child = stock.aggregating(first)
        found = alice.add_compute_plan_tasks(plan["key"], {"tasks": [child, stock.training()]})
        assert found == alice.get_compute_plan(plan["key"])
        assert (found["task_count"], found["waiting_builder_slot_count"]) == (3, 3)
        assert alice.get_task(child["task_id"])["rank"] == 1

    def test_the_same_again_is_a_success(self, alice, specs, stock):
        task = stock.training()
        plan = alice.add_compute_plan(specs.plan(task))
        batch = {"tasks": [task, stock.training()]}
        for _ in range(2):
            found = alice.add_compute_plan_tasks(plan["key"], batch, batch_size=1)
            assert found["task_count"] == 2

    def test_another_content_is_a_conflict(self, alice, specs, stock):
        """Which the SDK takes for a repeated batch, and leaves out as a whole."""
        task = stock.training(tag="before")
        plan = alice.add_compute_plan(specs.plan(task))
        batch = {"tasks": [{**task, "tag": "after"}, stock.training()]}
        assert alice.add_compute_plan_tasks(plan["key"], batch)["task_count"] == 1
        assert alice.get_task(task["task_id"])["tag"] == "before"

    def test_refused(self, alice, bob, victor, specs, stock):
        plan = alice.add_compute_plan(specs.plan())["key"]
        batch = {"tasks": [stock.training()]}
        with refused("AuthorizationError", "only its owner MyOrg1MSP may add tasks"):
            bob.add_compute_plan_tasks(plan, batch)
        with refused("AuthorizationError", "viewer"):
            victor.add_compute_plan_tasks(plan, batch)
        with refused("InvalidRequest", "Invalid compute plan key"):
            alice.add_compute_plan_tasks(unknown_key(), batch)
        assert alice.get_compute_plan(plan)["task_count"] == 0

    def test_a_cancelled_plan_takes_none(self, alice, specs, stock):
        plan = alice.add_compute_plan(specs.plan())["key"]
        alice.cancel_compute_plan(plan)
        with refused("InvalidRequest", "OE0109", "takes no more tasks"):
            alice.add_compute_plan_tasks(plan, {"tasks": [stock.training()]})

    def test_a_failed_plan_takes_none(self, alice, specs, stock, worker):
        task = stock.training()
        plan = alice.add_compute_plan(specs.plan(task))["key"]
        worker.ask("set_tasks", keys=[task["task_id"]], status="STATUS_FAILED")
        with refused("InvalidRequest", "OE0109", "takes no more tasks"):
            alice.add_compute_plan_tasks(plan, {"tasks": [stock.training()]})


class TestGet:
    def test_by_others(self, alice, bob, victor, specs):
        plan = alice.add_compute_plan(specs.plan())
        assert victor.get_compute_plan(plan["key"]) == plan
        assert bob.get_compute_plan(plan["key"]) == {**plan, "creator": "external"}

    @pytest.mark.parametrize("key", [unknown_key(), "no-key"], ids=["unknown", "malformed"])
    def test_not_found(self, alice, key):
        with refused("NotFound"):
            alice.get_compute_plan(key)


class TestUpdate:
    def test_update_compute_plan(self, alice, specs, stock):
        plan = alice.add_compute_plan(specs.plan(stock.training()))
        before = alice.get_compute_plan(plan["key"])
        assert alice.update_compute_plan(plan["key"], "Other name") is None
        assert alice.get_compute_plan(plan["key"]) == {**before, "name": "Other name"}

    def test_refused(self, alice, bob, victor, specs):
        key = alice.add_compute_plan(specs.plan())["key"]
        with refused("AuthorizationError", "only its owner MyOrg1MSP may rename"):
            bob.update_compute_plan(key, "Mine")
        with refused("AuthorizationError", "viewer"):
            victor.update_compute_plan(key, "Mine")
        with refused("InvalidRequest", "name: cannot be blank"):
            alice.update_compute_plan(key, "")
        with refused("NotFound"):
            alice.update_compute_plan(unknown_key(), "Mine")
        assert alice.get_compute_plan(key)["name"] == "Study"


class TestCancel:
    def test_cancel_compute_plan(self, alice, specs, stock, worker):
        done, waiting = stock.training(), stock.training()
        plan = alice.add_compute_plan(specs.plan(done, waiting))["key"]
        worker.ask("set_tasks", keys=[done["task_id"]], status="STATUS_DONE")
        assert alice.cancel_compute_plan(plan) is None
        found = alice.get_compute_plan(plan)
        assert found["status"] == "PLAN_STATUS_CANCELED"
        assert (found["done_count"], found["canceled_count"], found["task_count"]) == (1, 1, 2)
        assert found["end_date"] == found["estimated_end_date"] != None  # noqa: E711
        assert alice.get_task(done["task_id"])["status"] == "STATUS_DONE"
        assert alice.get_task(waiting["task_id"])["status"] == "STATUS_CANCELED"

    def test_refused(self, alice, bob, victor, specs):
        key = alice.add_compute_plan(specs.plan())["key"]
        with refused("AuthorizationError", "only its owner MyOrg1MSP may cancel"):
            bob.cancel_compute_plan(key)
        with refused("AuthorizationError", "viewer"):
            victor.cancel_compute_plan(key)
        with refused("NotFound"):
            alice.cancel_compute_plan(unknown_key())
        alice.cancel_compute_plan(key)
        with refused("InvalidRequest", "OE0109", "cancelled already"):
            alice.cancel_compute_plan(key)


class TestWait:
    def test_wait_compute_plan(self, alice, specs, stock, worker):
        """It is done while the SDK waits."""
        task = stock.training()
        plan = alice.add_compute_plan(specs.plan(task))["key"]
        done = {"keys": [task["task_id"]], "status": "STATUS_DONE"}
        work = Timer(0.3, worker.ask, ("set_tasks",), done)
        work.start()
        found = alice.wait_compute_plan(plan, timeout=30, polling_period=0.1)
        work.join()
        assert (found["status"], found["done_count"]) == ("PLAN_STATUS_DONE", 1)

    @pytest.mark.parametrize("word", ["FAILED", "CANCELED"])
    def test_that_is_not_done(self, alice, specs, stock, worker, word):
        task = stock.training()
        plan = alice.add_compute_plan(specs.plan(task))["key"]
        worker.ask("set_tasks", keys=[task["task_id"]], status=f"STATUS_{word}")
        with refused("FutureFailureError", word.lower()):
            alice.wait_compute_plan(plan, timeout=30)
        found = alice.wait_compute_plan(plan, raise_on_failure=False)
        assert found["status"] == f"PLAN_STATUS_{word}"
        assert found["failed_task_key"] == (task["task_id"] if word == "FAILED" else None)

    def test_in_vain(self, alice, specs):
        plan = alice.add_compute_plan(specs.plan())["key"]
        with refused("FutureTimeoutError"):
            alice.wait_compute_plan(plan, timeout=0.05, polling_period=0.05)
