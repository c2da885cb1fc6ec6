"""The jobs of those who register datasets, data samples and functions, with scripts and without.

What a page registers is read back through the API.
"""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.builders import CODE, DESCRIPTION, zip_of

from .watch import assert_accessible

pytestmark = pytest.mark.browser

OPENER = b"""import substratools as tools


class Opener(tools.Opener):
    def get_data(self, folders):
        return folders

    def fake_data(self, n_samples=None):
        return list(range(n_samples or 1))
"""

SCRIPTS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


def starred(label: str) -> re.Pattern:
    """A label, with the star of what is required."""
    return re.compile(rf"^\s*{label}\s*\*?\s*$")


def file(name: str, content: bytes) -> dict:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def accepted(page: Page, name: str) -> Locator:
    """A file that the server has, and that goes with the form."""
    lines = page.locator("li.file:not(.has-problem):not(.is-sending)")
    return lines.filter(has_text=name)


def give(page: Page, label: str, *files: dict, scripts: bool) -> None:
    """Choose files for a field; with scripts they are sent at once, and the form waits for them."""
    page.get_by_label(starred(label)).set_input_files(list(files))
    for item in files if scripts else ():
        expect(accepted(page, item["name"])).to_be_visible()


def headed(page: Page, text: str) -> None:
    expect(page.locator(".page-heading h1")).to_have_text(text)


def register(page: Page) -> None:
    page.get_by_role("button", name="Register", exact=True).click()


def expect_message(page: Page, text: str) -> None:
    """Expect this message at the top of the page."""
    expect(page.locator(".messages")).to_contain_text(text)


# --- Datasets ------------------------------------------------------------------------------------


def fill_in_dataset(page: Page, name: str, *, scripts: bool) -> None:
    page.get_by_label(starred("Name")).fill(name)
    page.get_by_label(starred("Type")).fill("images")
    give(page, "Opener", file("opener.py", OPENER), scripts=scripts)
    give(page, "Description", file("description.md", DESCRIPTION), scripts=scripts)


@SCRIPTS
def test_register_a_dataset(visit, api, scripts):
    name = f"Scans {uuid4()}"
    page = visit(scripts=scripts)
    page.goto("/")
    page.get_by_role("link", name="Register dataset").first.click()
    fill_in_dataset(page, name, scripts=scripts)
    permissions = page.get_by_role("group", name="Data permissions", exact=True)
    permissions.get_by_role("checkbox", name=re.compile("KarolinskaMSP")).check()
    sentence = permissions.locator(".permission-picker-sentence")
    if scripts:
        expect(sentence).to_contain_text("KarolinskaMSP")
    register(page)

    expect_message(page, f"Registered {name}.")
    headed(page, name)
    dataset = api.named("/data_manager/", name)
    assert dataset["type"] == "images"
    assert dataset["owner"] == "CurieMSP"
    assert dataset["permissions"]["process"] == {
        "public": False,
        "authorized_ids": ["CurieMSP", "KarolinskaMSP"],
    }
    assert dataset["logs_permission"] == {"public": False, "authorized_ids": ["CurieMSP"]}
    assert api.download(f"/data_manager/{dataset['key']}/opener/") == OPENER
    assert api.download(f"/data_manager/{dataset['key']}/description/") == DESCRIPTION


def test_metadata_of_several_lines_are_kept(visit, api):
    """Typed in the editor, shown on the page, and taken over by a form that begins from it."""
    name, page = f"Lines {uuid4()}", visit()
    page.goto("/datasets/new/")
    fill_in_dataset(page, name, scripts=True)
    page.get_by_label("Key 1").fill("site")
    page.get_by_label("Value 1").fill("Paris\tIle de France")
    page.get_by_label("Value 1").press("End")
    page.get_by_label("Value 1").press("Shift+Enter")
    page.keyboard.type("ward: 7")
    register(page)
    expect_message(page, f"Registered {name}.")
    written = {"site": "Paris\tIle de France\nward: 7"}
    dataset = api.named("/data_manager/", name)
    assert dataset["metadata"] == written
    expect(page.locator("dd.as-written")).to_have_js_property("innerText", written["site"])

    page.goto(f"/datasets/new/?like={dataset['key']}")
    fill_in_dataset(page, f"{name} again", scripts=True)
    expect(page.get_by_label("Value 1")).to_have_value(written["site"])
    page.get_by_role("button", name="Add entry").click()
    page.get_by_label("Key 2").fill("modality")
    page.get_by_label("Value 2").fill("MRI")
    register(page)
    again = api.named("/data_manager/", f"{name} again")
    assert again["metadata"] == {**written, "modality": "MRI"}


def test_messages_about_a_row_or_a_file_stay_until_that_is_changed(visit):
    page = visit()
    page.goto("/datasets/new/")
    for place, value in enumerate(["Paris", "Oslo"], 1):
        page.get_by_label(f"Key {place}").fill("site")
        page.get_by_label(f"Value {place}").fill(value)
        page.get_by_role("button", name="Add entry").click()
    twice = page.get_by_text("is already used. Remove one of the two.")
    expect(twice).to_be_visible()
    page.get_by_label("Key 2").fill("ward")
    page.get_by_label("Value 2").fill("7")
    expect(twice).to_have_count(0)

    page.goto("/data-samples/new/")
    chosen = page.locator("input[name=archives]")
    chosen.set_input_files(file("notes.txt", b"no archive"))
    problem = page.locator(".file .invalid-feedback")
    expect(problem).to_be_visible()
    chosen.set_input_files(file("b.zip", zip_of({"a.csv": b"1"})))
    expect(page.get_by_role("button", name="Remove b.zip")).to_be_visible()
    expect(problem).to_be_visible()


@SCRIPTS
def test_nothing_is_lost_when_something_is_wrong(visit, api, scripts):
    name = f"Scans {uuid4()}"
    page = visit(scripts=scripts)
    page.goto("/datasets/new/")
    fill_in_dataset(page, name, scripts=scripts)
    page.get_by_label(starred("Name")).fill("")
    register(page)

    expect(page.get_by_role("alert").first).to_contain_text("Nothing was registered.")
    expect(page.get_by_label(starred("Type"))).to_have_value("images")
    for kept in ("opener.py", "description.md"):
        expect(accepted(page, kept)).to_be_visible()
    if scripts:
        assert_accessible(page)
    page.get_by_label(starred("Name")).fill(name)
    register(page)
    expect_message(page, f"Registered {name}.")
    assert api.named("/data_manager/", name)["type"] == "images"


def test_what_is_filled_in_before_the_scripts_came(visit, api):
    """Files are sent, and the sentence follows, though no script has seen them chosen."""
    name, scripts, held = f"Early {uuid4()}", re.compile(r"/(uploads|picker)\.\w+\.js$"), []
    page = visit()
    page.route(scripts, lambda route: held.append(route))
    page.goto("/datasets/new/", wait_until="commit")
    fill_in_dataset(page, name, scripts=False)
    permissions = page.get_by_role("group", name="Data permissions", exact=True)
    permissions.get_by_role("checkbox", name=re.compile("KarolinskaMSP")).check()
    for route in held:
        route.continue_()
    page.unroute(scripts)
    expect(accepted(page, "opener.py")).to_be_visible()
    expect(accepted(page, "description.md")).to_be_visible()
    expect(permissions.locator(".permission-picker-sentence")).to_contain_text("KarolinskaMSP")
    register(page)
    expect_message(page, f"Registered {name}.")
    assert api.named("/data_manager/", name)["owner"] == "CurieMSP"


def test_wrong_opener_is_reported_at_once(visit):
    page = visit()
    page.goto("/datasets/new/")
    broken = file("opener.py", b"class Opener:\n    def get_data(self\n")
    give(page, "Opener", broken, scripts=True)
    expect(page.locator(".advice").first).to_contain_text("line")
    assert_accessible(page)


# --- Data samples --------------------------------------------------------------------------------


@pytest.fixture
def dataset(api):
    """Curie's dataset of the demo."""
    rows = api.all("/data_manager/", owner="CurieMSP")
    return next(row for row in rows if row["metadata"].get("demo") == "curie")


def samples_of(api, dataset):
    return set(api.get(f"/data_manager/{dataset['key']}/")["data_sample_keys"])


def test_register_three_samples_from_a_folder(visit, api, dataset, tmp_path):
    before = samples_of(api, dataset)
    for number in range(3):
        folder = tmp_path / "ward" / f"patient-{number}"
        folder.mkdir(parents=True)
        (folder / "data.csv").write_text(f"{uuid4()}\n")
    page = visit()
    page.goto(f"/datasets/{dataset['key']}/")
    page.get_by_role("link", name="Add data samples").first.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(tmp_path / "ward")
    for number in range(3):
        expect(accepted(page, f"patient-{number}")).to_be_visible()
    assert_accessible(page)
    register(page)

    expect_message(page, "Registered 3 data samples.")
    assert len(samples_of(api, dataset) - before) == 3


@SCRIPTS
def test_register_samples_as_archives(visit, api, dataset, scripts):
    before = samples_of(api, dataset)
    archives = [
        file(f"patient-{number}.zip", zip_of({"data.csv": str(uuid4()).encode()}))
        for number in range(3)
    ]
    page = visit(scripts=scripts)
    page.goto(f"/data-samples/new/?dataset={dataset['key']}")
    give(page, "Files", *archives, scripts=scripts)
    register(page)

    expect_message(page, "Registered 3 data samples.")
    assert len(samples_of(api, dataset) - before) == 3


@SCRIPTS
def test_unsafe_archive_is_reported_and_the_others_stay(visit, api, dataset, scripts):
    before = samples_of(api, dataset)
    fine = file("fine.zip", zip_of({"data.csv": str(uuid4()).encode()}))
    unsafe = file("unsafe.zip", zip_of({"../data.csv": b"1"}))
    page = visit(scripts=scripts)
    page.goto(f"/data-samples/new/?dataset={dataset['key']}")
    page.get_by_label(starred("Files")).set_input_files([fine, unsafe])
    if not scripts:
        register(page)
    expect(accepted(page, "fine.zip")).to_be_visible()
    expect(page.locator(".invalid-feedback").filter(has_text="../data.csv").first).to_be_visible()
    if scripts:
        page.get_by_role("button", name="Remove unsafe.zip").click()
    register(page)

    expect_message(page, "Registered 1 data sample.")
    assert len(samples_of(api, dataset) - before) == 1


# --- Functions -----------------------------------------------------------------------------------


@SCRIPTS
def test_register_a_function(visit, api, scripts):
    name, archive = f"Train {uuid4()}", zip_of(CODE)
    page = visit(scripts=scripts)
    page.goto("/functions/")
    page.get_by_role("link", name=re.compile("^Register")).first.click()
    page.get_by_label(starred("Name")).fill(name)
    give(page, "Archive", file("function.zip", archive), scripts=scripts)
    give(page, "Description", file("description.md", DESCRIPTION), scripts=scripts)
    page.get_by_role("checkbox", name="Runs on a dataset").check()

    inputs, outputs = page.locator("#rows-inputs"), page.locator("#rows-outputs")
    fill_in_row(inputs.locator(".row-list > fieldset").first, "shared", "model")
    inputs.get_by_role("checkbox", name="Optional").first.check()
    fill_in_row(outputs.locator(".row-list > fieldset").first, "model", "model")
    outputs.get_by_role("button", name="Add output").click()
    second = outputs.locator(".row-list > fieldset").nth(1)
    fill_in_row(second, "accuracy", "performance")
    page.get_by_role("checkbox", name="Public: every organisation").check()
    if scripts:
        assert_accessible(page)
    register(page)

    expect_message(page, f"Registered {name}.")
    function = api.named("/function/", name)
    assert function["permissions"]["process"]["public"] is True
    assert {key: value["kind"] for key, value in function["inputs"].items()} == {
        "opener": "ASSET_DATA_MANAGER",
        "datasamples": "ASSET_DATA_SAMPLE",
        "shared": "ASSET_MODEL",
    }
    assert function["inputs"]["shared"]["optional"] is True
    assert {key: value["kind"] for key, value in function["outputs"].items()} == {
        "model": "ASSET_MODEL",
        "accuracy": "ASSET_PERFORMANCE",
    }
    assert api.download(f"/function/{function['key']}/file/") == archive


def fill_in_row(row, identifier: str, kind: str) -> None:
    row.get_by_label(starred("Identifier")).fill(identifier)
    wanted = row.locator("option").filter(has_text=re.compile(f"^{kind}:")).first
    row.get_by_label(starred("Kind")).select_option(label=wanted.text_content())


def test_the_summary_loses_what_was_corrected(visit):
    page = visit()
    page.goto("/functions/new/")
    page.get_by_role("button", name="Register", exact=True).click()
    summary = page.locator(".summary-of-errors")
    expect(summary.get_by_role("listitem")).to_have_count(3)

    page.get_by_label(starred("Name")).fill("Train")
    page.get_by_label(starred("Name")).press("Tab")
    expect(summary.get_by_role("listitem")).to_have_count(2)
    give(page, "Archive", file("code.zip", zip_of(CODE)), scripts=True)
    expect(summary.get_by_role("listitem")).to_have_count(1)
    give(page, "Description", file("description.md", DESCRIPTION), scripts=True)
    expect(summary).to_have_count(0)


@SCRIPTS
def test_a_performance_is_not_multiple(visit, scripts):
    page = visit(scripts=scripts)
    page.goto("/functions/new/")
    kind = page.locator("[name=outputs-0-kind]")
    box = page.locator("[name=outputs-0-multiple]")
    expect(box).to_be_visible()
    kind.select_option("ASSET_PERFORMANCE")
    expect(box).to_be_hidden()
    kind.select_option("ASSET_MODEL")
    box.check()
    kind.select_option("ASSET_PERFORMANCE")
    expect(box).to_be_visible()
    box.uncheck()
    expect(box).to_be_hidden()
