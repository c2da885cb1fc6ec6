"""Problems come in the order of the fields: the API's answer is about the first one."""

from dataclasses import replace
from uuid import uuid4

from django.core.files.base import ContentFile

from assets.compute.inputs import grouped
from assets.compute.specs import OutputSpec
from assets.functions.specs import FunctionInputSpec
from tests.builders import PRIVATE, dataset_spec, function_spec, plan_spec, wire_plan

from .requests import Tasks

LONG = "t" * 101
BAD_METADATA = {"a__b": ""}
# All that can be wrong with each, and the fields that have a problem, in order.
WRONG = {
    "dataset": (
        lambda empty: dataset_spec(
            name="",
            type=LONG,
            metadata=BAD_METADATA,
            data_opener=empty("opener.py"),
            description=empty("description.md"),
        ),
        ["name", "type", "metadata", "data_opener", "description"],
    ),
    "function": (
        lambda empty: function_spec(
            name="",
            metadata=BAD_METADATA,
            description=empty("description.md"),
            file=empty("function.zip"),
            inputs=[FunctionInputSpec("", "ASSET_MODEL")],
        ),
        ["name", "metadata", "description", "file", "inputs"],
    ),
    "plan": (
        lambda empty: plan_spec(name="", tag=LONG, metadata=BAD_METADATA),
        ["name", "tag", "metadata"],
    ),
}


def test_problems_come_in_the_order_of_the_fields(interface, world):
    for kind, (build, fields) in WRONG.items():
        spec = build(lambda name: ContentFile(b"", name))
        problems = interface.send(world.alice, spec).problems
        found = [problem.field.replace(".", "[").partition("[")[0] for problem in problems]
        assert list(dict.fromkeys(found)) == fields, kind


def test_a_role_is_checked_before_what_cannot_be_read(world, client_of):
    body = wire_plan(plan_spec()) | {"key": "nonsense"}
    for url in ("/api/compute_plan/", "/api/task/bulk_create/"):
        data = body if "plan" in url else {"tasks": [{"key": "nonsense", "function_key": uuid4()}]}
        for who, status in (("victor", 403), ("alice", 400)):
            answer = client_of(world.users[who]).post(url, data, format="json")
            assert answer.status_code == status, (url, who)


def test_missing_inputs_come_before_outputs(interface, world):
    """22 before 23."""
    task = world.task()
    task = replace(
        task, inputs=grouped(task.refs[:1]), outputs={**task.outputs, "more": OutputSpec(PRIVATE)}
    )
    missing, unknown = interface.send(world.alice, Tasks([task])).problems
    assert "missing task input" in missing.message
    assert "unknown task output" in unknown.message
