"""The job of those who look for something and download it, and who may not."""

import hashlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def function(api):
    """The function of the demo that trains."""
    (found,) = [row for row in api.all("/function/") if row["metadata"].get("demo") == "train"]
    return api.get(f"/function/{found['key']}/")


def test_find_a_function_and_download_it(visit, function):
    page = visit("karolinska-member")
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type(function["name"][:10])
    page.locator("#search-suggestions a").filter(has_text=function["name"]).click()
    expect(page.locator(".page-heading h1")).to_have_text(function["name"])
    with page.expect_download() as download:
        page.locator(f"a[download][href$='/function/{function['key']}/file/']").first.click()
    content = Path(download.value.path()).read_bytes()
    assert hashlib.sha256(content).hexdigest() == function["archive"]["checksum"]


def test_filter_a_list_and_export_it(visit):
    page = visit()
    page.goto("/datasets/")
    page.get_by_label("Search", exact=True).fill("Karolinska")
    rows = page.locator("#results-table tbody tr")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile("q=Karolinska"))
    page.reload()
    expect(rows).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 2
    assert "Karolinska" in lines[1]


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("path", ["/tasks/", "/datasets/"])
def test_the_menu_of_columns_opens_where_it_is_seen(visit, path, width):
    page = visit(width=width)
    page.goto(path)
    expect(page.get_by_role("button", name="Filter")).to_be_hidden()
    page.locator(".results summary").click()
    panel = page.locator(".results .menu-panel")
    for part in (panel.get_by_role("checkbox").first, panel.get_by_role("button", name="Apply")):
        expect(part).to_be_in_viewport(ratio=1)


def test_files_that_are_not_permitted_say_why(visit, api):
    (dataset,) = [
        row for row in api.all("/data_manager/", owner="CurieMSP") if "demo" in row["metadata"]
    ]
    page = visit("charite-member")
    page.goto(f"/datasets/{dataset['key']}/")
    expect(page.locator("a[download]")).to_have_count(0)
    expect(page.locator("main")).to_contain_text("Only CurieMSP can download this")
