"""Tasks: add, get, and all that a task may be refused for."""

from uuid import uuid4

import pytest

from .refusals import refused, unknown_key
from .specs import AGGREGATE, PRIVATE, PUBLIC, granted, only_to, output_of, single_task

pytestmark = pytest.mark.sdk


class TestAdd:
    def test_add_task(self, alice, stock):
        """It gets a plan of its own, named after it."""
        spec = single_task(stock.training(tag="erste", metadata={"Runde": "1"}))
        assert alice.add_task(spec) == spec["key"]
        found = alice.get_task(spec["key"])
        plan = alice.get_compute_plan(found["compute_plan_key"])
        assert (plan["name"], plan["task_count"]) == (spec["key"], 1)
        assert found.pop("creation_date").endswith("Z")
        nothing = {"parent_task_key": None, "parent_task_output_identifier": None}
        assert found == {
            "key": spec["key"],
            "function": alice.get_function(stock.train),
            "owner": "MyOrg1MSP",
            "worker": "MyOrg1MSP",
            "compute_plan_key": plan["key"],
            "rank": 0,
            "status": "STATUS_WAITING_FOR_BUILDER_SLOT",
            "tag": "erste",
            "metadata": {"Runde": "1"},
            "start_date": None,
            "end_date": None,
            "error_type": None,
            "inputs": [{**nothing, **ref} for ref in stock.data],
            "outputs": {
                "model": {"permissions": {"process": granted(PRIVATE)}, "is_transient": False}
            },
        }

    def test_below_a_task_of_another_plan(self, alice, stock):
        parent = stock.training(outputs={"model": {"permissions": PUBLIC, "is_transient": True}})
        alice.add_task(single_task(parent))
        child = stock.aggregating(parent)
        alice.add_task(single_task(child))
        found = alice.get_task(child["task_id"])
        assert found["rank"] == 1
        assert found["compute_plan_key"] != alice.get_task(parent["task_id"])["compute_plan_key"]
        assert found["inputs"] == [{**output_of(parent, "models"), "asset_key": None}]
        assert alice.get_task(parent["task_id"])["outputs"]["model"]["is_transient"] is True

    def test_below_a_task_of_another_organisation(self, alice, bob, stock):
        """Its output is permitted to the worker of the child."""
        outputs = {"model": {"permissions": only_to("MyOrg2MSP")}}
        parent = stock.training(outputs=outputs)
        alice.add_task(single_task(parent))
        child = stock.aggregating(parent, worker="MyOrg2MSP")
        bob.add_task(single_task(child))
        found = alice.get_task(child["task_id"])
        assert (found["owner"], found["worker"], found["rank"]) == ("MyOrg2MSP", "MyOrg2MSP", 1)

    def test_on_public_assets_of_another_organisation(self, bob, stock):
        """The task is Bob's, the data stay with their owner."""
        key = bob.add_task(single_task(stock.training()))
        found = bob.get_task(key)
        assert (found["owner"], found["worker"]) == ("MyOrg2MSP", "MyOrg1MSP")

    def test_order_of_inputs_is_kept(self, alice, stock):
        inputs = [*stock.data[::-1]]
        key = alice.add_task(single_task(stock.training(inputs=inputs)))
        assert [ref["asset_key"] for ref in alice.get_task(key)["inputs"]] == [
            ref["asset_key"] for ref in inputs
        ]

    def test_again_is_a_conflict(self, alice, stock):
        """The SDK makes another plan each time, in which the same task is not the same."""
        spec = single_task(stock.training())
        alice.add_task(spec)
        with refused("AlreadyExists", "already exists", key=spec["key"]):
            alice.add_task(spec)
        assert len(alice.list_task({"key": [spec["key"]]})) == 1


MODEL = {"model": {"permissions": PRIVATE}}
PERFORMANCE = {"performance": {"permissions": PRIVATE}}


def without(identifier: str, inputs: list) -> list:
    return [ref for ref in inputs if ref["identifier"] != identifier]


# The fault, its message, and the change that gives a legal task this fault.
REFUSALS = {
    "unknown input": (
        "InvalidRequest",
        "unknown task input",
        lambda stock: {"inputs": [*stock.data, {"identifier": "x", "asset_key": stock.dataset}]},
    ),
    "missing opener": (
        "InvalidRequest",
        "missing task input",
        lambda stock: {"inputs": without("opener", stock.data)},
    ),
    "missing samples": (
        "InvalidRequest",
        "missing task input",
        lambda stock: {"inputs": without("datasamples", stock.data)},
    ),
    "opener twice": (
        "InvalidRequest",
        "duplicate task input",
        lambda stock: {"inputs": [stock.data[0], *stock.data]},
    ),
    "unknown output": (
        "InvalidRequest",
        "unknown task output",
        lambda stock: {"outputs": {**MODEL, "x": {"permissions": PUBLIC}}},
    ),
    "missing output": ("InvalidRequest", "missing task output", lambda stock: {"outputs": {}}),
    "unknown organisation": (
        "InvalidRequest",
        "invalid permission input values",
        lambda stock: {"outputs": {"model": {"permissions": only_to("Unknown")}}},
    ),
    "private performance": (
        "InvalidRequest",
        "a performance output must be public",
        lambda stock: {"function_key": stock.score, "outputs": PERFORMANCE},
    ),
    "another worker": (
        "InvalidRequest",
        "does not match data manager owner",
        lambda stock: {"worker": "MyOrg2MSP"},
    ),
    "unknown worker": (
        "NotFound",
        "organization",
        lambda stock: {"function_key": stock.aggregate, "inputs": [], "worker": "Unknown"},
    ),
    "unknown function": (
        "NotFound",
        "function",
        lambda stock: {"function_key": unknown_key()},
    ),
    "unknown dataset": (
        "NotFound",
        "datamanager",
        lambda stock: {
            "inputs": [{"identifier": "opener", "asset_key": unknown_key()}, *stock.data[1:]]
        },
    ),
    "unknown sample": (
        "NotFound",
        "datasample",
        lambda stock: {
            "inputs": [*stock.data, {"identifier": "datasamples", "asset_key": unknown_key()}]
        },
    ),
    "unknown model": (
        "NotFound",
        "model",
        lambda stock: {
            "inputs": [*stock.data, {"identifier": "shared", "asset_key": unknown_key()}]
        },
    ),
    "unknown parent": (
        "InvalidRequest",
        "cyclic dependency in compute plan graph or unknown task parent",
        lambda stock: {"inputs": [*stock.data, output_of({"task_id": unknown_key()})]},
    ),
    "metadata __": (
        "InvalidRequest",
        '"__" cannot be used in a metadata key',
        lambda stock: {"metadata": {"a__b": "1"}},
    ),
    "long tag": (
        "InvalidRequest",
        "tag: the length must be between 0 and 100",
        lambda stock: {"tag": "t" * 101},
    ),
    "no key": ("InvalidRequest", "is not a valid UUID", lambda stock: {"task_id": "no-key"}),
}


class TestRefused:
    @pytest.mark.parametrize("what", REFUSALS)
    def test_values(self, alice, stock, what):
        kind, phrase, change = REFUSALS[what]
        with refused(kind, "OE0", phrase):
            alice.add_task(single_task(stock.training(**change(stock))))

    def test_samples_of_another_dataset(self, alice, specs, stock):
        other = alice.add_dataset(specs.dataset())
        sample = alice.add_data_sample(specs.sample(other))
        inputs = [stock.data[0], {"identifier": "datasamples", "asset_key": sample}]
        with refused("InvalidRequest", "datasamples do not share a common manager"):
            alice.add_task(single_task(stock.training(inputs=inputs)))

    def test_output_of_another_kind(self, alice, stock):
        parent = stock.scoring()
        alice.add_task(single_task(parent))
        inputs = [*stock.data, output_of(parent, output="performance")]
        with refused("InvalidRequest", "mismatching task input asset kinds"):
            alice.add_task(single_task(stock.training(inputs=inputs)))
        inputs = [*stock.data, output_of(parent, output="model")]
        with refused("InvalidRequest", "output not found"):
            alice.add_task(single_task(stock.training(inputs=inputs)))

    def test_private_function_of_another_organisation(self, alice, bob, specs, stock):
        mine = alice.add_function(specs.function(permissions=PRIVATE, **AGGREGATE))
        task = stock.aggregating(function_key=mine, worker="MyOrg2MSP")
        with refused("AuthorizationError", "OE0102", "MyOrg2MSP may not process with function"):
            bob.add_task(single_task(task))
        alice.add_task(single_task(task))

    def test_private_dataset_of_another_organisation(self, alice, bob, specs, stock):
        mine = alice.add_dataset(specs.dataset(permissions=PRIVATE))
        sample = alice.add_data_sample(specs.sample(mine))
        inputs = [
            {"identifier": "opener", "asset_key": mine},
            {"identifier": "datasamples", "asset_key": sample},
        ]
        task = stock.training(inputs=inputs)
        with refused("AuthorizationError", "OE0102", "MyOrg2MSP may not process datamanager"):
            bob.add_task(single_task(task))
        alice.add_task(single_task(task))

    def test_output_that_the_worker_may_not_use(self, alice, stock):
        parent = stock.training()
        alice.add_task(single_task(parent))
        with refused("AuthorizationError", "OE0102", "MyOrg2MSP may not process output"):
            alice.add_task(single_task(stock.aggregating(parent, worker="MyOrg2MSP")))

    def test_by_a_viewer(self, victor, stock):
        with refused("AuthorizationError", "viewer"):
            victor.add_task(single_task(stock.training()))


class TestGet:
    def test_everybody_reads_what_is_known_of_it(self, alice, victor, carol, stock):
        key = alice.add_task(single_task(stock.training()))
        assert alice.get_task(key) == victor.get_task(key) == carol.get_task(key)

    @pytest.mark.parametrize("key", [str(uuid4()), "no-key"], ids=["unknown", "malformed"])
    def test_not_found(self, alice, key):
        with refused("NotFound"):
            alice.get_task(key)
