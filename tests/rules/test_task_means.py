"""What a task runs and where: the checks 7 to 13 of contract 3.6."""

from assets.common.errors import Code
from assets.compute.models import Task
from assets.compute.specs import OutputSpec
from tests.builders import (
    PRIVATE,
    PUBLIC,
    make_function,
    make_model,
    make_samples,
    only_to,
    training_task,
)

from .batches import UNKNOWN_KEY, feeding, foreign_data, one, task_table
from .cases import Case, accepted, invalid, refused, verify
from .requests import Tasks
from .world import A, B, model_ref, parent_ref


def _of(permissions):
    """A task of Bob's function under these permissions."""

    def build(world):
        function = make_function(world.bob, permissions=permissions)
        return [
            training_task(world.dataset, world.samples, function, compute_plan_key=world.plan.key)
        ]

    return build


def _below_disabled(done: bool):
    def build(world):
        make_model(world.parent.key, content=b"")
        if done:
            world.finish(world.parent.key)
        return [world.child(world.parent)]

    return build


def _output(permissions, **changes):
    return one(outputs={"model": OutputSpec(permissions, **changes)})


IDS = "tasks[0].outputs.model.permissions.authorized_ids"
MEANS = [
    refused(
        "7 unknown function",
        one(function_key=UNKNOWN_KEY),
        Code.NOT_FOUND,
        "tasks[0].function_key",
        "function with key",
    ),
    refused(
        "7 function of another",
        _of(PRIVATE),
        Code.FORBIDDEN,
        "tasks[0].function_key",
        "may not process with function",
    ),
    refused(
        "7 function for others",
        _of(only_to("MyOrg3MSP")),
        Code.FORBIDDEN,
        "tasks[0].function_key",
        "may not process with function",
    ),
    accepted("7 public function", _of(PUBLIC)),
    accepted("7 function for me", _of(only_to(A))),
    accepted("7 function that the worker may not use", foreign_data(PUBLIC)),
    invalid(
        "8 a parent's disabled model",
        _below_disabled(True),
        "tasks[0].inputs[0].parent_task_key",
        "has been disabled",
    ),
    accepted("8 a parent that is not done", _below_disabled(False)),
    refused(
        "9 unknown organisation",
        _output(only_to("Unknown")),
        Code.BAD_REQUEST,
        IDS,
        "invalid permission input values",
    ),
    accepted(
        "9 unknown organisation, but public", _output(PUBLIC._replace(authorized_ids=("Unknown",)))
    ),
    accepted("9 known organisations", _output(only_to(A, B))),
    accepted("9 transient", _output(PRIVATE, transient=True)),
]


def _without_data(**changes):
    return lambda world: [world.child(world.parent, **changes)]


NOT_INFERRED = "Worker cannot be inferred and must be explicitly set"
WORKER = [
    invalid(
        "10 unknown input",
        feeding(parent_ref("nothing", UNKNOWN_KEY)),
        "tasks[0].inputs[3].parent_task_key",
        "unknown task parent",
    ),
    invalid(
        "10 unknown input of an asset",
        feeding(model_ref("nothing", UNKNOWN_KEY)),
        "tasks[0].inputs[3].identifier",
        'unknown task input "nothing"',
    ),
    refused(
        "11 another worker than the dataset's owner",
        one(worker=B),
        Code.BAD_REQUEST,
        "tasks[0].worker",
        'Specified worker "MyOrg2MSP" does not match data manager owner',
    ),
    refused(
        "11 an unknown worker",
        one(worker="Unknown"),
        Code.BAD_REQUEST,
        "tasks[0].worker",
        "does not match data manager owner",
    ),
    accepted("11 no worker: the dataset shows", one(worker="")),
    accepted("11 the owner of another's dataset", foreign_data(PUBLIC)),
    refused(
        "12 no worker and no dataset",
        _without_data(worker=""),
        Code.BAD_REQUEST,
        "tasks[0].worker",
        NOT_INFERRED,
    ),
    accepted("13 any organisation", lambda w: [_for_bob(w)]),
    refused(
        "13 unknown worker",
        _without_data(worker="Unknown"),
        Code.NOT_FOUND,
        "tasks[0].worker",
        'organization with key "Unknown" not found',
    ),
]


def _for_bob(world):
    """A task that Bob works on, below a parent whose output he may use."""
    parent = world.registered(world.task(outputs={"model": OutputSpec(only_to(B))}))
    return world.child(parent, worker=B)


@task_table([*MEANS, *WORKER])
def test_function_and_worker(case: Case, arrive, interface, world):
    verify(case.sent_as(arrive), interface, world)


def test_the_worker_is_inferred_from_the_dataset(interface, world):
    dataset = world.bobs_dataset(PUBLIC)
    samples = make_samples(world.bob, dataset.key)
    task = training_task(dataset, samples, world.train, worker="", compute_plan_key=world.plan.key)
    interface.send(world.alice, Tasks([task]))
    assert Task.objects.get().worker_id == B
