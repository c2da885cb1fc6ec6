"""Pages that follow work: what a runner does is seen while the page is open."""

import re

import pytest
from playwright.sync_api import Page, expect

from .ward import MEMBER, Ward
from .watch import assert_accessible, overflow

pytestmark = pytest.mark.browser

TRACE = "Traceback (most recent call last):\n" + "  a line\n" * 200 + "ZeroDivisionError"


@pytest.fixture(scope="session")
def ward(site) -> Ward:
    return Ward(site)


@pytest.fixture
def function(ward) -> str:
    return ward.register_function()


def expect_status(page: Page, status: str) -> None:
    expect(page.locator(".page-heading .tag").first).to_have_text(status)


def test_a_plan_that_moves_while_one_looks_at_it(visit, ward, function):
    plan = ward.register_plan(function, 3)
    page = visit(MEMBER)
    page.goto(f"/compute-plans/{plan}/")
    work = page.locator(".work")
    expect(work).to_contain_text("3 tasks wait for a runner of WardMSP to build their functions.")

    # What the reader does to the page stays.
    page.get_by_text("Graph as a table").click()
    page.get_by_role("button", name="Larger").click()
    graph = page.locator(".graph-svg")
    width = graph.get_attribute("width")
    table = page.get_by_role("group", name="Tasks by rank and worker")
    link = table.get_by_role("link", name="0", exact=True)
    link.focus()
    page.evaluate("scrollTo(0, 200)")

    build = ward.claim()
    expect_status(page, "doing")
    expect(page.locator(".graph-node.is-building")).to_have_count(3)
    ward.report(build, "finish", steps={"build_image": 2_000_000})
    expect(work).to_contain_text("3 tasks wait for a runner of WardMSP. Last seen:")

    first, second = ward.claim(), ward.claim()
    expect(page.locator(".graph-node.is-executing")).to_have_count(2)
    expect(work).to_contain_text("2 are executing.")
    ward.report(first, "finish", performances={"auc": 0.875})
    expect(page.get_by_role("group", name="Performances")).to_contain_text("0.875")
    expect(work).to_contain_text("1 of 3 tasks are done. 1 is executing. About a minute left.")

    expect(page.locator("details.graph-table")).to_have_attribute("open", "")
    assert graph.get_attribute("width") == width
    expect(link).to_be_focused()
    assert page.evaluate("scrollY") == 200
    assert_accessible(page)

    ward.report(second, "fail", error_type="EXECUTION_ERROR", logs=TRACE)
    expect_status(page, "failed")
    expect(page.get_by_text("First failed task")).to_be_visible()
    # It has ended: the page asks no more, and announces the end.
    expect(work).to_have_count(0)
    expect(page.locator("#live")).not_to_have_attribute("hx-get", re.compile("."))
    expect(page.locator("#announcer")).to_have_text("1 of 3 tasks are done. 1 has failed.")


def test_a_task_that_fails_while_one_looks_at_it(visit, ward, function):
    ward.register_plan(function, 1)
    build = ward.claim()
    ward.report(build, "finish")
    job = ward.claim()
    page = visit(MEMBER)
    page.goto(f"/tasks/{job['task']['key']}/")
    expect(page.locator(".work")).to_contain_text("A runner of WardMSP runs it.")
    expect(page.get_by_text("No runner has reported yet")).to_be_visible()

    ward.report(job, "steps", steps={"prepare_inputs": 500_000, "task_execution": 1_500_000})
    steps = page.locator("table.steps")
    expect(steps).to_contain_text(re.compile(r"Prepare the inputs\s+500 ms\s*25 %"))
    ward.report(job, "fail", error_type="EXECUTION_ERROR", logs=TRACE)
    expect_status(page, "failed")
    logs = page.get_by_role("region", name="Logs")
    expect(logs).to_contain_text("ZeroDivisionError")
    # Its end is seen first.
    bottoms = logs.evaluate(
        "box => [box, box.firstChild].map(e => e.getBoundingClientRect().bottom)"
    )
    assert bottoms[1] <= bottoms[0] + 1
    assert logs.evaluate("box => box.scrollHeight > box.clientHeight + 100")
    for size in (1440, 390):
        page.set_viewport_size({"width": size, "height": 900})
        assert overflow(page) <= 0
        assert_accessible(page)


def test_a_function_that_cannot_be_built(visit, ward, function):
    page = visit(MEMBER)
    page.goto(f"/functions/{function}/")
    expect(page.locator(".work")).to_contain_text("It waits for a runner of WardMSP.")
    build = ward.claim()
    expect_status(page, "building")
    ward.report(build, "fail", error_type="BUILD_ERROR", logs="no such base image")
    expect_status(page, "failed")
    expect(page.get_by_role("region", name="Logs")).to_contain_text("no such base image")
    assert_accessible(page)


def test_without_scripts_a_link_refreshes_the_page(visit, ward, function):
    plan = ward.register_plan(function, 1)
    page = visit(MEMBER, scripts=False)
    page.goto(f"/compute-plans/{plan}/")
    expect_status(page, "created")
    build = ward.claim()
    page.get_by_role("link", name="Refresh").click()
    expect_status(page, "doing")
    ward.report(build, "finish")
    ward.report(ward.claim(), "finish", performances={"auc": 1})
    page.get_by_role("link", name="Refresh").click()
    expect_status(page, "done")
    expect(page.get_by_role("link", name="Refresh")).to_have_count(0)


def test_the_graph_of_a_large_plan_follows_too(visit, ward, function):
    plan = ward.register_plan(function, 210)
    page = visit(MEMBER)
    page.goto(f"/compute-plans/{plan}/")
    later = page.locator(".graph-later")
    later.scroll_into_view_if_needed()
    expect(later.locator(".graph-node")).to_have_count(210)
    later.get_by_role("button", name="Fit").click()
    width = page.locator(".graph-svg").get_attribute("width")
    ward.report(ward.claim(), "fail", error_type="BUILD_ERROR", logs="no")
    expect(later.locator(".graph-node.is-failed")).to_have_count(210)
    assert page.locator(".graph-svg").get_attribute("width") == width


def test_the_graph_on_a_page_of_its_own_follows_too(visit, ward, function):
    plan = ward.register_plan(function, 2)
    page = visit(MEMBER)
    page.goto(f"/compute-plans/{plan}/graph/")
    expect(page.locator(".graph-node")).to_have_count(2)
    ward.report(ward.claim(), "fail", error_type="BUILD_ERROR", logs="no")
    expect(page.locator(".graph-node.is-failed")).to_have_count(2)
    expect(page.locator("#live")).not_to_have_attribute("hx-get", re.compile("."))
