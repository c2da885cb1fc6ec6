"""An import, with scripts and without: choose a zip, look at its rows, register them."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from tests.builders import zip_of
from tests.imports.studies import dataset_lines, datasets_csv, only

from .test_registering import SCRIPTS, file, give
from .watch import assert_accessible, overflow

pytestmark = pytest.mark.browser


@SCRIPTS
def test_import(visit, api, scripts):
    mark = uuid4().hex[:8]
    lines = [(f"{mark} {line[0]}", *line[1:]) for line in dataset_lines(3)]
    lines[1] = (*lines[1][:3], "no.md", *lines[1][4:])
    study = zip_of(only("datasets.csv", datasets_csv(*lines)))

    page = visit("curie-member", scripts=scripts)
    page.goto("/datasets/")
    page.get_by_role("link", name="Import many").click()
    give(page, "Zip", file("study.zip", study), scripts=scripts)
    page.get_by_role("button", name="Check").click()

    expect(page.get_by_text('there is no file "no.md"')).to_be_visible()
    # Looking at a page takes scripts.
    for width in (1440, 390) if scripts else ():
        page.set_viewport_size({"width": width, "height": 900})
        assert overflow(page) <= 0
        assert_accessible(page)
        page.emulate_media(color_scheme="dark")
        assert_accessible(page, "color-contrast")
    page.get_by_role("button", name="Register 2 assets").click()
    # Without scripts, a slow machine takes several steps.
    registered = page.get_by_text("2 assets are registered.")
    button = page.get_by_role("button", name="Continue")
    while not scripts and not registered.is_visible() and button.is_visible():
        button.click()
    expect(registered).to_be_visible()
    page.get_by_role("link", name=f"{mark} Ward 3").click()
    expect(page.locator(".page-heading h1")).to_have_text(re.compile(mark))
    names = [item["name"] for item in api.all("/data_manager/", owner="CurieMSP")]
    assert sorted(name for name in names if mark in name) == [f"{mark} Ward 1", f"{mark} Ward 3"]
