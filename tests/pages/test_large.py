"""Very large things: their pages show the beginning, say how much more there is, and stay small."""

import json
from uuid import uuid4

import pytest

from assets.accounts.models import Organization
from assets.common.forms.problem_form import MAX_MESSAGES
from assets.compute.models import ComputePlan, Task, TaskInput
from assets.compute.specs import OutputSpec
from assets.functions.specs import FunctionInputSpec, FunctionOutputSpec
from tests.builders import PRIVATE, aggregate_task, make_dataset, make_function, make_plan

# What a page of anything may weigh.
HEAVY = 1_500_000


def slots_of(count: int, declared: type) -> list:
    return [declared(f"slot{n}", "ASSET_MODEL") for n in range(count)]


@pytest.fixture
def wide(alice):
    """A function with thousands of inputs and outputs, and as many entries of metadata."""
    return make_function(
        alice,
        inputs=slots_of(2000, FunctionInputSpec),
        outputs=slots_of(2000, FunctionOutputSpec),
        metadata={f"key{n}": "value" for n in range(2000)},
    )


def test_large_function_is_shown_in_part(session_of, alice, wide):
    answer = session_of(alice).get(f"/functions/{wide.key}/?code")
    page = answer.content.decode()
    assert page.count("1800 more are not shown") == 2
    assert "First 200 of 2,000" in page
    assert "Only the beginning is shown" in page
    assert len(page) < HEAVY


def test_large_function_is_run_by_json_only(session_of, alice, wide):
    browser = session_of(alice)
    for answer in (
        browser.get(f"/tasks/new/?function={wide.key}"),
        browser.post("/compute-plans/new/", {"action": "choose", "function": wide.key}),
    ):
        page = answer.content.decode()
        assert "too many inputs and outputs for a form" in page
        assert "task-in-0" not in page
        assert len(page) < HEAVY
    sent = {"action": "put", "task-function": wide.key, "task-key": uuid4()}
    assert "Choose a function first" in browser.post("/tasks/new/", sent).content.decode()


def test_metadata_of_a_list_are_shown_in_part(session_of, alice, wide):
    browser = session_of(alice)
    page = browser.get("/functions/?columns=metadata").content.decode()
    assert "key1000: value, " in page
    assert "key1999" not in page
    export = browser.get("/functions/?columns=metadata&export=csv").getvalue().decode()
    assert "key1999: value" in export


@pytest.fixture
def plan(alice):
    """A plan of one task of a function that takes models, as many as there are."""
    models = FunctionInputSpec("models", "ASSET_MODEL", multiple=True, optional=True)
    function = make_function(alice, inputs=[models])
    return make_plan(alice, aggregate_task(function, alice.organization_id))


def grow(plan: ComputePlan, count: int, *, parents: int, workers: int = 1) -> list[Task]:
    """Add tasks that take models of the ones before, past all rules, as these are slow."""
    first = plan.tasks.get()
    values = {field.attname: getattr(first, field.attname) for field in Task._meta.concrete_fields}
    names = [f"Worker{n:03}" for n in range(workers)]
    Organization.objects.bulk_create(Organization(id=name) for name in names)
    tasks = [
        Task(**{**values, "key": uuid4(), "rank": n + 1, "worker_id": names[n % workers]})
        for n in range(count)
    ]
    Task.objects.bulk_create(tasks)
    TaskInput.objects.bulk_create(
        TaskInput(
            task=task,
            identifier="models",
            position=place,
            parent_task=parent,
            parent_output_identifier="model",
        )
        for n, task in enumerate(tasks)
        for place, parent in enumerate(tasks[max(0, n - parents) : n])
    )
    plan.task_count = count + 1
    plan.save()
    return tasks


def test_dense_plan_is_not_drawn(session_of, alice, plan):
    tasks = grow(plan, 150, parents=150)
    browser = session_of(alice)
    for url in (f"/compute-plans/{plan.key}/", f"/compute-plans/{plan.key}/graph/"):
        assert "too large to be drawn" in browser.get(url).content.decode()
    page = browser.get(f"/compute-plans/{plan.key}/tasks/").content.decode()
    assert "or with thousands of arrows, are not drawn" in page
    page = browser.get(f"/tasks/{tasks[-1].key}/").content.decode()
    assert "and 129 more" in page


def test_task_with_thousands_of_inputs_lists_the_first(session_of, alice, plan):
    tasks = grow(plan, 1000, parents=0)
    rows = (
        TaskInput(
            task=tasks[0],
            identifier="models",
            position=place,
            parent_task=parent,
            parent_output_identifier="model",
        )
        for place, parent in enumerate(tasks[1:])
    )
    TaskInput.objects.bulk_create(rows)
    page = session_of(alice).get(f"/tasks/{tasks[0].key}/").content.decode()
    assert "and 979 more" in page
    assert "799 more sources are not listed here" in page


def test_plan_of_many_workers_counts_the_first(session_of, alice, plan):
    grow(plan, 240, parents=0, workers=60)
    page = session_of(alice).get(f"/compute-plans/{plan.key}/").content.decode()
    assert "31 more workers" in page
    assert "41 more ranks" in page


def test_dense_draft_is_not_drawn(session_of, alice, plan):
    names = [str(uuid4()) for _ in range(150)]
    tasks = [
        {"task_id": name, "inputs": [{"parent_task_key": parent} for parent in names[:n]]}
        for n, name in enumerate(names)
    ]
    sent = {"tasks": json.dumps(tasks), "action": "view:build"}
    page = session_of(alice).post("/compute-plans/new/", sent).content.decode()
    assert "or with thousands of arrows, are not drawn" in page
    assert len(page) < HEAVY


def test_columns_of_who_may_do_what_are_few(session_of, alice):
    function = make_function(alice, inputs=(), outputs=slots_of(60, FunctionOutputSpec))
    outputs = {f"slot{n}": OutputSpec(PRIVATE) for n in range(60)}
    task = aggregate_task(function, alice.organization_id, outputs=outputs)
    make_plan(alice, task)
    page = session_of(alice).get(f"/tasks/{task.key}/").content.decode()
    assert "51 more columns are not shown" in page


def test_first_problems_of_a_task_are_shown(session_of, alice):
    dataset, function = make_dataset(alice), make_function(alice)
    unknown = [str(uuid4()) for _ in range(MAX_MESSAGES + 20)]
    sent = {"action": "put", "task-function": function.key, "task-key": uuid4()}
    sent |= {"task-in-0": dataset.key, "task-in-1": unknown}
    page = session_of(alice).post("/compute-plans/new/", sent).content.decode()
    assert f"{len(unknown) - 20} more have problems like those before" in page
