"""The API as people look at it: the browsable pages, whose forms work, and the documentation."""

import json
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from .test_every_page import WIDTHS, look_at
from .watch import barriers, overflow

pytestmark = pytest.mark.browser

# A list of links, of assets, of what is no asset, and one with a form of its own.
LISTS = ["", "data_manager/", "compute_plan/?page_size=1", "news_feed/", "task/"]


@pytest.mark.parametrize("path", LISTS)
def test_page(visit, path):
    page = visit()
    look_at(page, f"/api/{path}")


def test_page_with_everything_open(visit):
    page = visit()
    page.goto("/api/data_manager/")
    for summary in page.locator("main summary").all():
        summary.click()
    assert page.get_by_label("creation_date_after").is_visible()
    assert overflow(page) <= 0


@pytest.mark.parametrize("resource", ["data_manager", "task"])
def test_page_of_an_asset(visit, api, resource):
    key = api.all(f"/{resource}/", owner="CurieMSP")[-1]["key"]
    look_at(visit(), f"/api/{resource}/{key}/")


def test_filter_and_go_on(visit):
    page = visit()
    page.goto("/api/function/?page_size=1")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".answer")).to_contain_text('"previous": "http')
    page.goto("/api/data_manager/")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("owner", exact=True).fill("CurieMSP")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.locator(".answer")).to_contain_text('"owner": "CurieMSP"')
    expect(page.locator(".answer")).not_to_contain_text('"owner": "ChariteMSP"')


def test_register_and_rename(visit, api):
    """By the form that needs no script, as JSON, and by a method that no form has."""
    page, key, other = visit(), str(uuid4()), str(uuid4())
    page.goto("/api/compute_plan/")
    form = page.locator("details", has_text="POST as a form")
    form.get_by_label("Key", exact=True).fill(key)
    form.get_by_label("Name", exact=True).fill("By the form")
    form.get_by_role("button", name="POST").click()
    expect(page.locator(".answer")).to_contain_text("HTTP 201 Created")

    page.goto("/api/compute_plan/")
    page.get_by_text("POST as JSON").click()
    page.get_by_label("JSON", exact=True).fill(json.dumps({"key": other, "name": "As JSON"}))
    page.locator("details", has_text="POST as JSON").get_by_role("button").click()
    expect(page.locator(".answer")).to_contain_text("HTTP 201 Created")

    page.goto(f"/api/compute_plan/{key}/")
    page.get_by_text("PUT as a form").click()
    page.get_by_label("Name", exact=True).fill("Renamed")
    page.get_by_role("button", name="PUT").click()
    expect(page.locator(".answer")).not_to_contain_text("By the form")
    expect(page.locator(".answer")).to_contain_text("HTTP 200 OK")
    names = {plan["key"]: plan["name"] for plan in api.all("/compute_plan/")}
    assert (names[key], names[other]) == ("Renamed", "As JSON")


def test_options(visit):
    page = visit()
    page.goto("/api/compute_plan/")
    page.get_by_role("button", name="OPTIONS").click()
    expect(page.locator(".answer")).to_contain_text('"renders"')


@pytest.mark.parametrize("width", WIDTHS)
def test_documentation(visit, width):
    page = visit(width=width)
    page.goto("/api/docs/")
    operation = page.locator(".opblock", has_text="/api/info/").first
    operation.locator("button").first.click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table")).to_contain_text("mychannel")
    assert overflow(page) <= 0
    assert barriers(page) == []
    assert page.locator("html").get_attribute("lang") == "en"
