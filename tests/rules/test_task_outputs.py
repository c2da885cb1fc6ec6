"""What a task makes: the checks 23 and 24 of contract 3.6."""

from assets.compute.specs import OutputSpec
from tests.builders import MODEL_OUTPUT, PERFORMANCE_OUTPUT, PRIVATE, PUBLIC, only_to

from .batches import task_table
from .cases import Case, accepted, invalid, verify
from .world import A, B


def _outputs(*made, **given):
    """A task of a function that makes these outputs, given those."""
    return lambda world: [world.simple(world.making(*made), outputs=given)]


GOOD = OutputSpec(PUBLIC)
OUTPUTS = [
    invalid(
        "23 unknown output",
        _outputs(MODEL_OUTPUT, model=GOOD, more=GOOD),
        "tasks[0].outputs.more",
        'unknown task output "more"',
    ),
    invalid(
        "23 missing output",
        _outputs(MODEL_OUTPUT),
        "tasks[0].outputs",
        'missing task output "model"',
    ),
    invalid(
        "23 one of two missing",
        _outputs(MODEL_OUTPUT, PERFORMANCE_OUTPUT, model=GOOD),
        "tasks[0].outputs",
        'missing task output "performance"',
    ),
    accepted("23 no outputs", _outputs()),
    accepted(
        "23 two outputs", _outputs(MODEL_OUTPUT, PERFORMANCE_OUTPUT, model=GOOD, performance=GOOD)
    ),
    invalid(
        "24 a private performance",
        _outputs(PERFORMANCE_OUTPUT, performance=OutputSpec(PRIVATE)),
        "tasks[0].outputs.performance.permissions.public",
        "must be public",
    ),
    invalid(
        "24 a performance for some",
        _outputs(PERFORMANCE_OUTPUT, performance=OutputSpec(only_to(A, B))),
        "tasks[0].outputs.performance.permissions.public",
        "must be public",
    ),
    invalid(
        "24 a transient performance",
        _outputs(PERFORMANCE_OUTPUT, performance=OutputSpec(PUBLIC, True)),
        "tasks[0].outputs.performance.transient",
        "cannot be transient",
    ),
    accepted("24 a public performance", _outputs(PERFORMANCE_OUTPUT, performance=GOOD)),
    accepted("24 a transient model", _outputs(MODEL_OUTPUT, model=OutputSpec(PUBLIC, True))),
]


@task_table(OUTPUTS)
def test_outputs(case: Case, arrive, interface, world):
    verify(case.sent_as(arrive), interface, world)
