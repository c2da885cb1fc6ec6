"""Of two faults, the one that the contract checks first is shown first. Contract 3.6."""

from dataclasses import replace
from uuid import uuid4

from assets.compute import registration
from assets.compute.inputs import grouped
from assets.compute.specs import OutputSpec, TaskSpec
from tests.builders import PRIVATE, make_function, make_model, only_to

from .batches import UNKNOWN_KEY
from .interfaces import Interface, Reported
from .requests import Tasks
from .world import B, World, model_ref, parent_ref


def _conflict(world: World, task: TaskSpec) -> TaskSpec:
    known = world.task(tag="known")
    registration.register_tasks([known], world.alice)
    return replace(task, key=known.key)


def _more(*refs):
    return lambda world, task: replace(task, inputs=grouped([*task.refs, *refs]))


def _disabled(world: World, task: TaskSpec) -> TaskSpec:
    make_model(world.parent.key, content=b"")
    world.finish(world.parent.key)
    return _more(parent_ref("shared", world.parent.key))(world, task)


def _bobs_function(world: World, task: TaskSpec) -> TaskSpec:
    return replace(task, function_key=make_function(world.bob).key)


def _unknown_output(world: World, task: TaskSpec) -> TaskSpec:
    return _more(parent_ref("shared", world.parent.key, "nothing"))(world, task)


# One fault each, in the order of the checks.
FAULTS = {
    "1 unknown plan": lambda w, task: replace(task, compute_plan_key=UNKNOWN_KEY),
    "2 metadata": lambda w, task: replace(task, metadata={"a__b": ""}),
    "3 tag": lambda w, task: replace(task, tag="t" * 101),
    "4 key taken": _conflict,
    "5 unknown parent": _more(parent_ref("shared", UNKNOWN_KEY)),
    "7 function": _bobs_function,
    "8 disabled model": _disabled,
    "9 unknown organisation": lambda w, task: replace(
        task, outputs={"model": OutputSpec(only_to("Unknown"))}
    ),
    "10 unknown input": _more(model_ref("nothing", UNKNOWN_KEY)),
    "11 worker": lambda w, task: replace(task, worker=B),
    "14 opener twice": lambda w, task: replace(task, inputs=grouped([task.refs[0], *task.refs])),
    "16 unknown sample": _more(model_ref("datasamples", UNKNOWN_KEY)),
    "23 unknown output": lambda w, task: replace(
        task, outputs={**task.outputs, "more": OutputSpec(PRIVATE)}
    ),
}


def _first(interface: Interface, world: World, task: TaskSpec) -> Reported:
    first = interface.send(world.alice, Tasks([task])).problems[0]
    # Where an input stands depends on the other fault's inputs; what is shown does not.
    return replace(first, field=first.field.partition("[0].")[2].partition("[")[0])


def test_the_earlier_check_speaks_first(interface, world):
    """A task with all the faults; they are corrected one by one."""
    task = world.task(key=uuid4())
    left = list(FAULTS)
    while left:
        faulty = task
        for name in reversed(left):
            faulty = FAULTS[name](world, faulty)
        shown_text = _first(interface, world, faulty)
        expected = _first(interface, world, FAULTS[left[0]](world, task))
        assert (shown_text.code, shown_text.field) == (expected.code, expected.field), left[0]
        assert shown_text.message.split('"')[0] == expected.message.split('"')[0], left[0]
        del left[0]


def test_a_key_that_is_taken_is_shown_before_another_tasks_unknown_parent(interface, world):
    """4 before 5, whichever task comes first; the taken one is not itself looked into."""
    lost = replace(world.task(), inputs=grouped([parent_ref("shared", UNKNOWN_KEY)]))
    taken = _conflict(world, world.task())
    for batch in ([lost, taken], [taken, lost]):
        codes = [problem.code for problem in interface.send(world.alice, Tasks(batch)).problems]
        assert codes == ["OE0006", "OE0101"]


def test_the_plans_owner_is_checked_after_the_graph_and_before_the_function(interface, world):
    """6: of another's plan, after 5 and before 7."""
    bob = world.bob
    task = world.task()
    lost = replace(task, inputs=grouped([parent_ref("shared", UNKNOWN_KEY)]))
    assert "unknown task parent" in interface.send(bob, Tasks([lost])).problems[0].message
    strange = replace(task, function_key=UNKNOWN_KEY)
    problem = interface.send(bob, Tasks([strange])).problems[0]
    assert (problem.code, problem.field) == ("OE0102", "")


def test_a_role_is_checked_before_anything_else(interface, world):
    task = world.task(compute_plan_key=UNKNOWN_KEY, metadata={"a__b": ""})
    problem = interface.send(world.users["victor"], Tasks([task])).problems[0]
    assert (problem.code, problem.message[:19]) == ("OE0102", "your role is viewer")
