"""Tasks by themselves and their graph: the checks 1 to 6 of contract 3.6, and whole batches."""

from assets.common.errors import Code
from assets.compute.inputs import InputRef, grouped
from assets.compute.models import Task
from tests.builders import (
    aggregate_task,
    make_function,
    make_plan,
    only_to,
    plan_spec,
)

from .batches import UNKNOWN_KEY, bobs_parent, feeding, one, task_table
from .cases import Case, accepted, invalid, refused, table, verify
from .requests import Tasks
from .world import A, B, parent_ref


def _two_plans(world):
    return [world.task(), world.task(compute_plan_key=make_plan(world.alice).key)]


PLAN = [
    refused(
        "1 unknown plan",
        one(compute_plan_key=UNKNOWN_KEY),
        Code.BAD_REQUEST,
        "",
        "Invalid compute plan key",
    ),
    refused("1 no tasks", lambda w: [], Code.BAD_REQUEST, "", "Invalid compute plan key"),
    refused(
        "1 two plans",
        _two_plans,
        Code.BAD_REQUEST,
        "",
        "All tasks should have the same compute plan key",
    ),
    refused(
        "1 two tasks without a plan",
        lambda w: [w.task(compute_plan_key=None) for _ in "ab"],
        Code.BAD_REQUEST,
        "",
        "Invalid compute plan key",
    ),
    refused(
        "6 another's plan",
        lambda w: [_simple_of_bob(w)],
        Code.FORBIDDEN,
        "",
        "only its owner",
        by="bob",
    ),
]


def _simple_of_bob(world):
    """A task that Bob may register, but for its plan."""
    function = make_function(world.bob, inputs=())
    return aggregate_task(function, B, compute_plan_key=world.plan.key)


def _twice(world):
    task = world.task()
    return [task, world.task(key=task.key)]


def _circle(size: int):
    """Tasks each of which is below the next."""

    def build(world):
        tasks = [world.child() for _ in range(size)]
        for task, parent in zip(tasks, [*tasks[1:], tasks[0]], strict=True):
            task.inputs = grouped([parent_ref("models", parent.key)])
        return tasks

    return build


def _below_circle(world):
    tasks = _circle(2)(world)
    return [world.child(tasks[0]), *tasks]


def backwards(world):
    first = world.task()
    second = world.child(first)
    return [world.child(first, second), second, first]


SHAPE = [
    invalid("2 metadata", one(metadata={"a__b": ""}), "tasks[0].metadata", '"__" cannot be used'),
    invalid("3 a key twice", _twice, "tasks[0].key", "occurs twice in this batch"),
    invalid(
        "3 no source",
        feeding(InputRef("shared")),
        "tasks[0].inputs[3]",
        "give either asset_key, or",
    ),
    invalid(
        "3 two sources",
        feeding(InputRef("shared", UNKNOWN_KEY, UNKNOWN_KEY, "model")),
        "tasks[0].inputs[3]",
        "give either asset_key, or",
    ),
    invalid(
        "3 a parent without its output",
        feeding(InputRef("shared", None, UNKNOWN_KEY)),
        "tasks[0].inputs[3].parent_task_output_identifier",
        "is missing",
    ),
    invalid(
        "3 an asset with an output",
        feeding(InputRef("shared", UNKNOWN_KEY, None, "model")),
        "tasks[0].inputs[3].parent_task_key",
        "is missing",
    ),
    invalid(
        "3 no identifier",
        feeding(InputRef("", UNKNOWN_KEY)),
        "tasks[0].inputs[3].identifier",
        "is missing",
    ),
    invalid(
        "5 unknown parent",
        lambda w: [w.child(w.task())],
        "tasks[0].inputs[0].parent_task_key",
        "unsorted_tasks_count: 1",
    ),
    *(
        invalid(
            f"5 a circle of {size}",
            _circle(size),
            "tasks[0].inputs[0].parent_task_key",
            f"unsorted_tasks_count: {size}; missing dependency among inModels IDs, circular",
        )
        for size in (1, 2, 3)
    ),
    invalid(
        "5 below a circle",
        _below_circle,
        "tasks[0].inputs[0].parent_task_key",
        "unsorted_tasks_count: 3",
    ),
    accepted("5 children first", backwards),
    accepted("5 a parent of another plan", lambda w: [w.child(w.parent)]),
    accepted("5 a parent of another owner", lambda w: [w.child(bobs_parent(w, only_to(A)))]),
    accepted("5 one parent twice", lambda w: [w.child(w.parent, w.parent)]),
]


@task_table(SHAPE)
def test_shape_and_graph(case: Case, arrive, interface, world):
    verify(case.sent_as(arrive), interface, world)


@table(PLAN)
def test_plan_of_a_batch(case: Case, interface, world):
    verify(case.sent_as(Tasks), interface, world)


def test_a_plan_takes_no_task_of_another(interface, world):
    case = refused(
        "another plan's task",
        lambda w: plan_spec(tasks=[w.task()]),
        Code.BAD_REQUEST,
        "",
        "All tasks should have the same compute plan key",
    )
    verify(case, interface, world)


def test_one_bad_task_refuses_the_batch(interface, world):
    case = refused(
        "the last of three",
        lambda w: [w.task(), w.task(), w.task(worker=B)],
        Code.BAD_REQUEST,
        "tasks[2].worker",
        "does not match",
    )
    verify(case.sent_as(Tasks), interface, world)


def test_every_problem_is_shown(interface, world):
    bad = [world.task(worker=B), world.task(function_key=UNKNOWN_KEY), world.task(outputs={})]
    outcome = interface.send(world.alice, Tasks(bad))
    assert [problem.field for problem in outcome.problems] == [
        "tasks[0].worker",
        "tasks[1].function_key",
        "tasks[2].outputs",
    ]


def test_a_single_task_without_a_plan_gets_one_named_after_it(interface, world):
    task = world.task(compute_plan_key=None)
    for _ in range(2):
        assert not interface.send(world.alice, Tasks([task])).problems
    assert Task.objects.get().compute_plan.name == str(task.key)


def test_inputs_keep_their_order(interface, world):
    parents = [world.registered(world.task()) for _ in range(3)]
    task = world.child(parents[2], parents[0], parents[1])
    interface.send(world.alice, Tasks([task]))
    kept = Task.objects.get(pk=task.key).inputs.values_list("parent_task_id", flat=True)
    assert list(kept) == [parents[2].key, parents[0].key, parents[1].key]


def test_ranks_count_parents_of_other_plans(interface, world):
    first = world.child(world.parent)
    second = world.child(world.parent, first)
    interface.send(world.alice, Tasks([second, first]))
    ranks = dict(Task.objects.values_list("key", "rank"))
    assert (ranks[world.parent.key], ranks[first.key], ranks[second.key]) == (0, 1, 2)


def test_answers_come_in_dependency_order(interface, world):
    specs = backwards(world)
    answer = interface.send(world.alice, Tasks(specs)).answer
    keys = [str(item["key"]) if isinstance(item, dict) else str(item) for item in answer]
    assert keys == [str(spec.key) for spec in reversed(specs)]
