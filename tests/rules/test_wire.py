"""Bodies whose types are wrong: what reading the wire refuses. Contract 2.6, 2.7, 3.1, 3.6."""

from uuid import uuid4

import pytest

from assets.common.errors import Refused, refuse_if
from assets.compute import registration
from assets.compute.specs import parse_compute_plan, parse_tasks
from tests.builders import plan_spec, wire_plan, wire_task

from .cases import everything
from .interfaces import Outcome, Reported, read_refusal


class ReadingInterface:
    """Reads the body as the API does, and registers what was read."""

    def __init__(self, client_of) -> None:
        """There is nothing to sign in to."""

    def batch(self, actor, body) -> Outcome:
        return self._run(lambda specs: registration.register_tasks(specs, actor), parse_tasks(body))

    def plan(self, actor, body) -> Outcome:
        register = registration.register_compute_plan
        return self._run(lambda spec: register(spec, actor), parse_compute_plan(body))

    def _run(self, register, parsed) -> Outcome:
        spec, problems = parsed
        try:
            refuse_if(problems)
            return Outcome(answer=register(spec))
        except Refused as refused:
            expected = [Reported(p.code.label, p.field, p.message) for p in refused.problems]
            return Outcome(tuple(expected))


class PostingInterface:
    """Posts the body."""

    def __init__(self, client_of) -> None:
        self.client_of = client_of

    def batch(self, actor, body) -> Outcome:
        return self._post(actor, "/api/task/bulk_create/", body)

    def plan(self, actor, body) -> Outcome:
        return self._post(actor, "/api/compute_plan/", body)

    def _post(self, actor, url, body) -> Outcome:
        response = self.client_of(actor).post(url, body, format="json")
        if response.status_code in (200, 201):
            return Outcome(answer=response.json())
        return Outcome(read_refusal(response))


@pytest.fixture(params=[ReadingInterface, PostingInterface], ids=["reading", "posting"])
def wire_interface(request, client_of):
    return request.param(client_of)


KEY = str(uuid4())
NO_UUID = "is not a valid UUID"
NO_TEXT = "must be a string"
NO_LIST = "must be a list"
NO_OBJECT = "must be an object"
NO_FLAG = "must be true or false"

# A change to a legal task, and what is shown about it: the field below `tasks[0]` and a phrase.
TASKS = {
    "no key": ({"key": None}, "key", "is missing"),
    "blank key": ({"key": ""}, "key", "is missing"),
    "key": ({"key": "x"}, "key", NO_UUID),
    "key of another type": ({"key": 7}, "key", NO_UUID),
    "key in upper case": ({"key": KEY.upper()}, None, None),
    "key without hyphens": ({"key": KEY.replace("-", "")}, None, None),
    "key in braces": ({"key": f"{{{KEY}}}"}, None, None),
    "no function": ({"function_key": None}, "function_key", "is missing"),
    "function": ({"function_key": "x"}, "function_key", NO_UUID),
    "plan": ({"compute_plan_key": "x"}, "compute_plan_key", NO_UUID),
    "worker": ({"worker": ["MyOrg1MSP"]}, "worker", NO_TEXT),
    "tag": ({"tag": 5}, "tag", NO_TEXT),
    "metadata": ({"metadata": "a"}, "metadata", NO_OBJECT),
    "inputs": ({"inputs": {}}, "inputs", NO_LIST),
    "an input": ({"inputs": ["opener"]}, "inputs[0]", NO_OBJECT),
    "identifier": ({"inputs": [{"identifier": 5}]}, "inputs[0].identifier", NO_TEXT),
    "asset_key": (
        {"inputs": [{"identifier": "opener", "asset_key": "x"}]},
        "inputs[0].asset_key",
        NO_UUID,
    ),
    "parent_task_key": (
        {"inputs": [{"identifier": "shared", "parent_task_key": "x"}]},
        "inputs[0].parent_task_key",
        NO_UUID,
    ),
    "outputs": ({"outputs": ["model"]}, "outputs", NO_OBJECT),
    "an output": ({"outputs": {"model": 1}}, "outputs.model", NO_OBJECT),
    "no permissions": ({"outputs": {"model": {}}}, "outputs.model.permissions", "is missing"),
    "null permissions": (
        {"outputs": {"model": {"permissions": None}}},
        "outputs.model.permissions",
        "is missing",
    ),
    "permissions": (
        {"outputs": {"model": {"permissions": 1}}},
        "outputs.model.permissions",
        NO_OBJECT,
    ),
    "public": (
        {"outputs": {"model": {"permissions": {"public": "yes"}}}},
        "outputs.model.permissions.public",
        NO_FLAG,
    ),
    "authorized_ids": (
        {"outputs": {"model": {"permissions": {"authorized_ids": "MyOrg1MSP"}}}},
        "outputs.model.permissions.authorized_ids",
        NO_LIST,
    ),
    "an authorised id": (
        {"outputs": {"model": {"permissions": {"authorized_ids": [1]}}}},
        "outputs.model.permissions.authorized_ids",
        "must be a list of organisation ids",
    ),
    "transient": (
        {"outputs": {"model": {"permissions": {"public": True}, "transient": "no"}}},
        "outputs.model.transient",
        NO_FLAG,
    ),
    "transient null": (
        {"outputs": {"model": {"permissions": {"public": True}, "transient": None}}},
        None,
        None,
    ),
    "only public given": ({"outputs": {"model": {"permissions": {"public": False}}}}, None, None),
    "fields that no one knows": ({"colour": "red"}, None, None),
}


@pytest.mark.parametrize(("change", "field", "phrase"), TASKS.values(), ids=TASKS)
@pytest.mark.parametrize("arrive", ["batch", "plan"])
def test_task(change, field, phrase, arrive, world, wire_interface):
    task = {**wire_task(world.task()), **change}
    if arrive == "plan":
        if "compute_plan_key" not in change:
            del task["compute_plan_key"]
        body = {**wire_plan(plan_spec()), "tasks": [task]}
    else:
        body = {"tasks": [task]}
    before = everything()
    outcome = getattr(wire_interface, arrive)(world.alice, body)
    if phrase is None:
        assert not outcome.problems
        return
    first = outcome.problems[0]
    assert (first.code, first.field) == ("OE0101", f"tasks[0].{field}")
    assert phrase in first.message
    assert everything() == before


PLANS = {
    "no key": ({"key": None}, "key", "is missing"),
    "key": ({"key": "x"}, "key", NO_UUID),
    "key in upper case": ({"key": KEY.upper()}, None, None),
    "key without hyphens": ({"key": KEY.replace("-", "")}, None, None),
    "no name": ({"name": None}, "name", "cannot be blank"),
    "name": ({"name": 5}, "name", NO_TEXT),
    "tag": ({"tag": 5}, "tag", NO_TEXT),
    "null tag": ({"tag": None}, None, None),
    "metadata": ({"metadata": ["a"]}, "metadata", NO_OBJECT),
    "null metadata": ({"metadata": None}, None, None),
    "tasks": ({"tasks": {}}, "tasks", NO_LIST),
    "null tasks": ({"tasks": None}, None, None),
    "a task": ({"tasks": [1]}, "tasks[0]", NO_OBJECT),
}


@pytest.mark.parametrize(("change", "field", "phrase"), PLANS.values(), ids=PLANS)
def test_plan(change, field, phrase, world, wire_interface):
    before = everything()
    outcome = wire_interface.plan(world.alice, {**wire_plan(plan_spec()), **change})
    if phrase is None:
        assert not outcome.problems
        return
    first = outcome.problems[0]
    assert (first.code, first.field) == ("OE0101", field)
    assert phrase in first.message
    assert everything() == before


def test_one_spelling_of_a_key_for_the_plan_and_its_tasks(world, wire_interface):
    """The SDK sends the same raw text as the plan's key and, later, as its tasks' plan."""
    raw = uuid4().hex.upper()
    wire_interface.plan(world.alice, {**wire_plan(plan_spec()), "key": raw})
    task = {**wire_task(world.task()), "compute_plan_key": raw}
    assert not wire_interface.batch(world.alice, {"tasks": [task]}).problems


@pytest.mark.parametrize("body", [{}, {"tasks": None}, {"tasks": []}], ids=str)
def test_no_tasks(body, world, wire_interface):
    first = wire_interface.batch(world.alice, body).problems[0]
    assert first.code == "OE0003"
    assert "Invalid compute plan key" in first.message
