"""The jobs of those who register compute plans: by the builder, and as JSON."""

import json
import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from .test_registering import SCRIPTS, expect_message, starred
from .watch import assert_accessible

pytestmark = pytest.mark.browser

TRAIN = re.compile("^Train logistic regression")
AGGREGATE = re.compile("^Federated averaging")


def name_plan(page: Page) -> str:
    name = f"Study {uuid4()}"
    page.get_by_label(starred("Name")).fill(name)
    return name


def register(page: Page) -> None:
    page.get_by_role("button", name="Register the plan").click()


def choose_function(page: Page, name: re.Pattern, *, scripts: bool) -> None:
    """With scripts a click chooses; without, a button does."""
    page.get_by_role("radio", name=name).click()
    if not scripts:
        page.get_by_role("button", name="Choose this function").click()
    expect(page.get_by_role("button", name="Change function")).to_be_visible()


def write_json(page: Page) -> Locator:
    """Turn to the plan as JSON; return the box for it."""
    page.get_by_role("button", name="JSON", exact=True).click()
    box = page.get_by_role("textbox", name=re.compile("^Tasks"))
    expect(box).to_be_visible()
    return box


def add(page: Page, count: int) -> None:
    page.get_by_role("button", name="Add to the plan").click()
    expect(page.get_by_role("heading", name=re.compile(rf"^Tasks\s+{count}$"))).to_be_visible()


@SCRIPTS
def test_register_a_plan_by_the_builder(visit, api, scripts):
    page = visit(scripts=scripts)
    page.goto("/compute-plans/")
    page.get_by_role("link", name=re.compile("^Register")).first.click()
    name = name_plan(page)

    # One that trains ...
    choose_function(page, TRAIN, scripts=scripts)
    page.get_by_role("radio", name=re.compile("Breast masses, Institut Curie")).check()
    samples = page.get_by_role("group", name=re.compile("^datasamples"))
    if not scripts:
        page.get_by_role("button", name="List its data samples").click()
    samples.get_by_role("checkbox").first.check()
    if scripts:
        assert_accessible(page)
    add(page, 1)

    # ... and one that takes what it makes.
    choose_function(page, AGGREGATE, scripts=scripts)
    models = page.get_by_role("group", name=re.compile("^models"))
    models.get_by_role(
        "checkbox", name=re.compile(r"task 1|^model of 1|this plan|1\b")
    ).first.check()
    add(page, 2)
    expect(
        page.get_by_role("group", name=re.compile("^Graph of the draft: 2 tasks"))
    ).to_be_visible()
    if scripts:
        assert_accessible(page)
    register(page)

    expect_message(page, name)
    plan = api.named("/compute_plan/", name)
    tasks = api.all(f"/compute_plan/{plan['key']}/task/")
    assert sorted(task["rank"] for task in tasks) == [0, 1]
    assert {task["worker"] for task in tasks} == {"CurieMSP"}


def plan_of(api, **changes) -> list[dict]:
    """Two tasks as JSON: one that trains, one that takes its model."""
    (dataset,) = [
        row for row in api.all("/data_manager/", owner="CurieMSP") if "demo" in row["metadata"]
    ]
    functions = {row["metadata"].get("demo"): row["key"] for row in api.all("/function/")}
    sample = api.get(f"/data_manager/{dataset['key']}/")["data_sample_keys"][0]
    mine = {"permissions": {"public": False, "authorized_ids": []}}
    first = {
        "task_id": str(uuid4()),
        "function_key": functions["train"],
        "worker": "CurieMSP",
        "inputs": [
            {"identifier": "opener", "asset_key": dataset["key"]},
            {"identifier": "datasamples", "asset_key": sample},
        ],
        "outputs": {"model": mine},
    }
    second = {
        "task_id": str(uuid4()),
        "function_key": functions["aggregate"],
        "worker": "CurieMSP",
        "inputs": [
            {
                "identifier": "models",
                "parent_task_key": first["task_id"],
                "parent_task_output_identifier": "model",
            }
        ],
        "outputs": {"shared": mine},
    }
    return [first | changes, second]


@SCRIPTS
def test_register_a_plan_as_json_that_was_wrong(visit, api, scripts):
    right = plan_of(api)
    unknown = str(uuid4())
    wrong = [right[0] | {"function_key": unknown}, right[1] | {"worker": "UnknownMSP"}]
    page = visit(scripts=scripts)
    page.goto("/compute-plans/new/")
    tasks = write_json(page)
    name = name_plan(page)
    tasks.fill(json.dumps(wrong))
    page.get_by_role("button", name="Check", exact=True).click()
    main = page.locator("main")
    expect(main).to_contain_text(unknown)
    expect(main).to_contain_text("UnknownMSP")
    assert not [plan for plan in api.all("/compute_plan/", name=name) if plan["name"] == name]
    if scripts:
        assert_accessible(page)

    tasks.fill("[{")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(main).to_contain_text("This is not JSON")
    expect(tasks).to_have_value("[{")

    tasks.fill(json.dumps(right))
    register(page)
    expect_message(page, name)
    plan = api.named("/compute_plan/", name)
    found = api.all(f"/compute_plan/{plan['key']}/task/")
    assert {task["key"] for task in found} == {task["task_id"] for task in right}


def test_what_is_typed_while_an_answer_is_under_way_stays(visit):
    page = visit()
    page.goto("/compute-plans/new/")
    page.route("**/compute-plans/new/", lambda route: answer_late(page, route))
    page.get_by_role("button", name="JSON", exact=True).click()
    name = name_plan(page)
    expect(page.get_by_role("textbox", name=re.compile("^Tasks"))).to_be_visible()
    expect(page.get_by_label(starred("Name"))).to_have_value(name)


def answer_late(page: Page, route: Route) -> None:
    page.wait_for_timeout(500)
    route.continue_()


def test_whole_plan_as_json(visit, api):
    """The shape that the SDK sends: what the fields leave blank is taken from it."""
    plan = {
        "key": str(uuid4()),
        "name": f"Study {uuid4()}",
        "tag": "from a file",
        "tasks": plan_of(api),
    }
    page = visit()
    page.goto("/compute-plans/new/")
    write_json(page).fill(json.dumps(plan))
    register(page)
    expect_message(page, plan["name"])
    assert api.get(f"/compute_plan/{plan['key']}/")["tag"] == "from a file"


def test_a_graph_of_any_size_fits_its_box(visit, api):
    (demo,) = [row for row in api.all("/compute_plan/") if row["name"].endswith("regression")]
    root = api.all("/task/", compute_plan_key=demo["key"], rank="0")[0]
    task = api.get(f"/task/{root['key']}/")
    plan = api.post("/compute_plan/", {"key": str(uuid4()), "name": f"Wide {uuid4()}"})
    same = {
        "function_key": task["function"]["key"],
        "compute_plan_key": plan["key"],
        "worker": task["worker"],
        "inputs": [
            {"identifier": item["identifier"], "asset_key": item["asset_key"]}
            for item in task["inputs"]
        ],
        "outputs": {"model": {"permissions": {"public": True, "authorized_ids": []}}},
    }
    api.post("/task/bulk_create/", {"tasks": [{**same, "key": str(uuid4())} for _ in range(260)]})

    page = visit()
    page.goto(f"/compute-plans/{plan['key']}/graph/")
    page.get_by_role("button", name="Fit").click()
    box = page.locator("[data-graph-scroll]")
    hidden = "box => [box.scrollHeight - box.clientHeight, box.scrollWidth - box.clientWidth]"
    assert box.evaluate(hidden) == [0, 0]
    last = page.locator(".graph-svg [data-node]").last
    expect(last).to_be_in_viewport()


def test_a_graph_that_is_wide_is_shown_in_the_middle(visit, api):
    (demo,) = [row for row in api.all("/compute_plan/") if row["name"].endswith("regression")]
    page = visit()
    page.goto(f"/compute-plans/{demo['key']}/graph/")
    page.get_by_role("button", name="Fit").click()
    middle = "node => { const { y, height } = node.getBoundingClientRect(); return y + height / 2 }"
    in_box = page.locator("[data-graph-scroll]").evaluate(middle)
    assert page.locator(".graph-svg").evaluate(middle) == pytest.approx(in_box, abs=2)
