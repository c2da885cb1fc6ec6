"""What feeds a task: the checks 14 to 22 of contract 3.6."""

from uuid import uuid4

import pytest

from assets.common.errors import MAX_OF_ONE_LIST, Code
from assets.compute.inputs import InputRef, grouped
from assets.compute.registration import check_tasks
from assets.compute.specs import OutputSpec
from assets.functions.specs import FunctionOutputSpec
from tests.builders import MODEL_OUTPUT, PERFORMANCE_OUTPUT, PRIVATE, PUBLIC, only_to

from .batches import UNKNOWN_KEY, bobs_parent, data, foreign_data, inputs, one, task_table
from .cases import Case, accepted, invalid, refused, verify
from .world import A, B, model_ref, parent_ref


def _opener_twice(world):
    opener, *samples = data(world)
    return [opener, opener, *samples]


def _opener_by_parent(world):
    _, *samples = data(world)
    return [parent_ref("opener", world.parent.key), *samples]


def _sample_by_parent(world):
    opener, *_ = data(world)
    return [opener, parent_ref("datasamples", world.parent.key)]


def _opener(find):
    """The inputs of a task on the dataset that `find` gives, with samples of Alice's."""

    def make(world):
        _, *samples = data(world)
        return [InputRef("opener", find(world)), *samples]

    return make


def _sample(find):
    def make(world):
        return [*data(world), InputRef("datasamples", find(world))]

    return make


def _model(permissions, worker=A):
    """A task of `aggregate` that takes a model by its key."""

    def build(world):
        model = world.model(permissions)
        return [world.child(worker=worker, inputs=grouped([model_ref("models", model.key)]))]

    return build


def _disabled_model(world):
    model = world.model(content=b"")
    return [world.child(inputs=grouped([model_ref("models", model.key)]))]


def _output_of(output: FunctionOutputSpec, function: str = "aggregate"):
    """A task below one whose function makes this output."""

    def build(world):
        maker = world.making(output)
        parent = world.registered(
            world.simple(maker, outputs={output.identifier: OutputSpec(PUBLIC)})
        )
        taker = getattr(world, function)
        identifier = taker.inputs.get().identifier
        child = world.child(inputs=grouped([parent_ref(identifier, parent.key, output.identifier)]))
        child.function_key = taker.key
        return [child]

    return build


def _worker_takes(permissions, worker):
    def build(world):
        return [world.child(bobs_parent(world, permissions), worker=worker)]

    return build


DISABLED = "has been disabled"
KEY, PARENT = "tasks[0].inputs[0].asset_key", "tasks[0].inputs[0].parent_task_output_identifier"
BY_KEY = "must be referenced using an asset key"
MANY = FunctionOutputSpec("model", "ASSET_MODEL", multiple=True)
INPUTS = [
    invalid(
        "14 opener twice",
        inputs(_opener_twice),
        "tasks[0].inputs",
        'duplicate task input "opener"',
    ),
    invalid(
        "14 a single model twice",
        inputs(lambda w: [*data(w), *(parent_ref("shared", w.parent.key) for _ in "ab")]),
        "tasks[0].inputs",
        'duplicate task input "shared"',
    ),
    accepted("14 many samples", inputs(data)),
    invalid(
        "15 opener by its parent",
        inputs(_opener_by_parent),
        "tasks[0].inputs[0]",
        f"openers {BY_KEY}",
    ),
    refused(
        "15 unknown dataset",
        inputs(_opener(lambda w: UNKNOWN_KEY)),
        Code.NOT_FOUND,
        KEY,
        "datamanager with key",
    ),
    refused(
        "15 a sample in a dataset's place",
        inputs(_opener(lambda w: w.samples[0].key)),
        Code.NOT_FOUND,
        KEY,
        "datamanager with key",
    ),
    refused(
        "15 another's dataset",
        foreign_data(PRIVATE),
        Code.FORBIDDEN,
        KEY,
        "may not process datamanager",
    ),
    accepted("15 another's dataset, permitted", foreign_data(only_to(A))),
    accepted("15 another's dataset, public", foreign_data(PUBLIC)),
    invalid(
        "16 sample by its parent",
        inputs(_sample_by_parent),
        "tasks[0].inputs[1]",
        f"data samples {BY_KEY}",
    ),
    refused(
        "16 unknown sample",
        inputs(_sample(lambda w: UNKNOWN_KEY)),
        Code.NOT_FOUND,
        "tasks[0].inputs[3].asset_key",
        "datasample with key",
    ),
    invalid(
        "16 sample of another dataset",
        inputs(_sample(lambda w: w.other_sample.key)),
        "tasks[0].inputs[3].asset_key",
        "datasamples do not share a common manager",
    ),
    refused(
        "17 unknown model",
        lambda w: [w.child(inputs=grouped([model_ref("models", UNKNOWN_KEY)]))],
        Code.NOT_FOUND,
        KEY,
        "model with key",
    ),
    refused(
        "17 the worker may not use the model",
        _model(PRIVATE, worker=B),
        Code.FORBIDDEN,
        KEY,
        "the worker MyOrg2MSP may not process model",
    ),
    accepted("17 the worker may use the model", _model(only_to(B), worker=B)),
    accepted("17 a public model", _model(PUBLIC, worker=B)),
    invalid("17 a disabled model", _disabled_model, KEY, DISABLED),
    invalid(
        "18 unknown output",
        lambda w: [w.child(inputs=grouped([parent_ref("models", w.parent.key, "nothing")]))],
        PARENT,
        'output not found: "nothing"',
    ),
    invalid(
        "19 a performance as a model",
        _output_of(PERFORMANCE_OUTPUT),
        PARENT,
        "mismatching task input asset kinds",
    ),
    invalid(
        "20 many into one",
        _output_of(MANY, "refine"),
        PARENT,
        "multiple task output model used as single task input",
    ),
    accepted("20 many into many", _output_of(MANY)),
    accepted("20 one into one", _output_of(MODEL_OUTPUT, "refine")),
    refused(
        "21 the worker may not use the output",
        lambda w: [w.child(w.parent, worker=B)],
        Code.FORBIDDEN,
        PARENT,
        'the worker MyOrg2MSP may not process output "model"',
    ),
    refused(
        "21 neither worker nor owner may",
        _worker_takes(PRIVATE, A),
        Code.FORBIDDEN,
        PARENT,
        "the worker MyOrg1MSP may not process output",
    ),
    accepted("21 the worker may, the owner may not", _worker_takes(PRIVATE, B)),
    invalid(
        "22 no opener",
        inputs(lambda w: data(w)[1:]),
        "tasks[0].inputs",
        'missing task input "opener"',
    ),
    invalid(
        "22 no samples",
        inputs(lambda w: data(w)[:1]),
        "tasks[0].inputs",
        'missing task input "datasamples"',
    ),
    invalid("22 nothing at all", inputs(lambda w: ()), "tasks[0].inputs", "missing task input"),
    invalid("22 no model", lambda w: [w.child()], "tasks[0].inputs", 'missing task input "models"'),
    accepted("22 an optional input left out", one()),
    accepted(
        "22 an optional input given",
        inputs(lambda w: [*data(w), parent_ref("shared", w.parent.key)]),
    ),
]


@task_table(INPUTS)
def test_inputs(case: Case, arrive, interface, world):
    verify(case.sent_as(arrive), interface, world)


def _samples_without_end(world, identifier):
    opener, *_ = data(world)
    return [opener, *(InputRef(identifier, uuid4()) for _ in range(1234))]


@pytest.mark.parametrize(
    ("identifier", "phrase"),
    [("datasamples", "not found"), ("nothing", 'unknown task input "nothing"')],
)
def test_a_list_that_is_all_wrong_has_the_first_problems_and_a_count(identifier, phrase, world):
    task = world.task(inputs=grouped(_samples_without_end(world, identifier)))
    found = [found for found in check_tasks([task], world.alice) if "inputs[" in found.field]
    *first, last = found
    assert [problem.field.split(".")[1] for problem in found] == [
        f"inputs[{place}]" for place in range(1, MAX_OF_ONE_LIST + 2)
    ]
    assert all(phrase in problem.message for problem in first)
    assert last.message.startswith("1,214 more have problems like those before")
