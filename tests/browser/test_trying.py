"""Data that stay with their organisation, and functions that are tried on fake data."""

from uuid import uuid4

import pytest
from playwright.sync_api import expect

from .test_every_page import look_at
from .watch import assert_accessible

pytestmark = pytest.mark.browser


def test_register_folders_at_runners(visit, api):
    folder = f"visits/{uuid4()}"
    dataset = api.all("/data_manager/", owner="CurieMSP")[0]
    page = visit()
    page.goto(f"/data-samples/new/?dataset={dataset['key']}")
    page.get_by_label("Folders at your runners").fill(f"{folder}\n{folder}/../up")
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("is not below the data root")
    page.get_by_label("Folders at your runners").fill(folder)
    page.get_by_role("button", name="Register").click()
    expect(page.locator(".messages")).to_contain_text("Registered 1 data sample.")

    row = page.get_by_role("row").filter(has_text="stays at a runner of CurieMSP").first
    expect(row).to_contain_text("not yet checked")
    row.get_by_role("link").first.click()
    expect(page.get_by_text(folder)).to_be_visible()
    look_at(page, page.url)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_try_a_function(visit, site, scripts):
    """The runner never comes, so the dry run waits."""
    admin = visit("karolinska-admin")
    admin.goto("/runners/new/")
    admin.get_by_role("textbox", name="Name").fill(f"ward {uuid4()}")
    admin.get_by_role("button", name="Register runner").click()
    expect(admin.get_by_text("I have copied it")).to_be_visible()

    train = next(row for row in site.api("karolinska-member").all("/function/")
                 if row["name"].startswith("Train"))  # fmt: skip
    page = visit("karolinska-member", scripts=scripts)
    page.goto(f"/functions/{train['key']}/")
    page.get_by_role("link", name="Try it").click()
    page.get_by_role("button", name="Try it").click()
    expect(page.locator(".invalid-feedback")).to_contain_text("Choose the dataset")
    page.get_by_role("radio").last.check()
    page.get_by_label("Number of fake data samples").fill("3")
    if scripts:
        assert_accessible(page)
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("It waits for a runner of KarolinskaMSP.").first).to_be_visible()
    trial = page.url
    if scripts:
        look_at(page, trial)
    page.goto(f"/functions/{train['key']}/")
    dry_runs = page.get_by_role("region", name="Dry runs")
    expect(dry_runs.get_by_role("row").nth(1)).to_contain_text("waiting")
    if scripts:
        look_at(page, page.url)
