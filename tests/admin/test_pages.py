"""What the pages of the admin have besides: the index, history, fields that pick, clean markup."""

import re
from html.parser import HTMLParser

import pytest
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group

from assets.permissions.forms import PermissionPicker
from tests.builders import PUBLIC, dataset_spec, function_spec, only_to
from tests.rules.requests import Rename, Tasks
from tests.rules.world import A, B, C

from .interface import admin_url

KINDS = ("dataset", "datasample", "function", "computeplan", "task")


def test_the_index_has_sections_and_recent_events(admin, world, session_of):
    admin.send(world.alice, Rename(world.dataset, "Renamed in the admin"))
    text = session_of(world.bob).get("/admin/").content.decode()
    names = re.findall(r'class="section"[^>]*>([^<]+)<', text)
    assert names == ["Assets", "Results", "Runners", "Consortium", "Audit"]
    assert "external renamed dataset" in text
    assert "Renamed in the admin" in text


def test_every_model_has_its_place(world, session_of):
    page = session_of(world.users["root"]).get("/admin/")
    assert "More" not in [section["name"] for section in page.context["app_list"]]
    assert not django_admin.site.is_registered(Group)


def test_the_history_of_an_asset_is_its_events(admin, world, session_of):
    admin.send(world.alice, Rename(world.dataset, "Another"))
    url = admin_url("dataset", "history", world.dataset.key)
    page = session_of(world.bob).get(url, follow=True)
    assert [event.action for event in page.context["cl"].result_list] == ["renamed", "registered"]


def test_who_one_is(world, session_of):
    for name, words in (("victor", f"viewer of {A}"), ("root", "platform superuser")):
        text = session_of(world.users[name]).get("/admin/").content.decode()
        assert f"<strong>{name}</strong>, {words}" in " ".join(text.split())


# --- Fields that pick ----------------------------------------------------------------------------


def picked(browser, model: str, field: str, term: str) -> list[str]:
    query = {"app_label": "assets", "model_name": model, "field_name": field, "term": term}
    return [item["text"] for item in browser.get("/admin/autocomplete/", query).json()["results"]]


def test_picking_rows_by_name(world, session_of):
    browser = session_of(world.alice)
    function = f"Train ({str(world.train.key)[:8]})"
    assert picked(browser, "task", "function", "tra") == [function]
    assert picked(browser, "task", "worker", "second") == [f"Second hospital ({B})"]
    label = f"Train, rank 0 ({str(world.parent.key)[:8]})"
    assert picked(browser, "taskinput", "parent_task", "train") == [label]


def test_samples_are_added_to_own_datasets_only(world, session_of):
    world.bobs_dataset(PUBLIC)
    key = str(world.dataset.key)[:8]
    assert picked(session_of(world.alice), "datasample", "datasets", "") == [
        f"Blood counts ({key})"
    ]


def test_picking_what_feeds_an_input(world, session_of):
    world.samples, world.model()
    answer = session_of(world.alice).get("/admin/assets/task/assets/", {"term": "blood"}).json()
    kinds = [item["text"].split(" ")[:2] for item in answer["results"]]
    assert kinds == [["dataset", "Blood"], ["data", "sample"], ["data", "sample"]]
    everything = session_of(world.alice).get("/admin/assets/task/assets/").json()
    assert str(world.dataset.key) in {item["id"] for item in everything["results"]}
    assert any(item["text"].startswith("model ") for item in everything["results"])


def test_what_was_picked_is_shown_again_by_name(admin, world):
    spec = world.task(outputs={})
    page = admin.send(world.alice, Tasks([spec]))
    assert not page.accepted
    key = str(world.dataset.key)
    assert f'<option value="{key}" selected>Blood counts ({key[:8]})</option>' in page.text
    key = str(world.train.key)
    assert f'<option value="{key}" selected>Train ({key[:8]})</option>' in page.text


@pytest.mark.parametrize("key", ["nonsense", "11111111-1111-4111-8111-111111111111"])
def test_what_cannot_be_picked_is_shown_again_unchanged(key, admin, world):
    url, data = admin.form(Tasks([world.task()]))
    page = admin.post(world.alice, url, {**data, "inputs-0-asset_key": key})
    assert not page.accepted
    assert f'<option value="{key}" selected>{key}</option>' in page.text


# --- What was typed is never lost ----------------------------------------------------------------


def test_what_was_typed_is_shown_again(admin, world):
    spec = dataset_spec(name="", permissions=only_to(C), logs_permission=PUBLIC)
    page = admin.send(world.alice, spec)
    form = page.response.context["form"]
    assert form["permissions"].value() == only_to(C)
    assert form["logs_permission"].value() == PUBLIC
    boxes = re.findall(r'name="permissions-authorized_ids" value="(\w+)"( checked)?', page.text)
    assert boxes == [(B, ""), (C, " checked")]
    assert '{"ward": "7"}' in page.text


def test_rows_that_were_typed_are_shown_again(admin, world):
    page = admin.send(world.alice, function_spec(name=""))
    for identifier in ("opener", "datasamples", "shared", "model"):
        assert f'value="{identifier}"' in page.text


# --- Markup --------------------------------------------------------------------------------------


class InlineFinder(HTMLParser):
    """Finds what a strict Content-Security-Policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        names = dict(attrs)
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.found.append(tag)
        self.found += [name for name in names if name == "style" or name.startswith("on")]


@pytest.mark.parametrize("kind", [*KINDS, "user", "apitoken", "organization", "event"])
def test_nothing_is_inline(kind, world, session_of):
    browser = session_of(world.alice if kind in KINDS else world.users["root"])
    for page in ("changelist", "add"):
        finder = InlineFinder()
        finder.feed(browser.get(admin_url(kind, page)).content.decode())
        assert not finder.found


def test_the_picker_brings_its_style(world, session_of):
    text = session_of(world.alice).get(admin_url("dataset", "add")).content.decode()
    assert PermissionPicker().media._css["all"][0] in text
    assert text.count('class="permission-picker"') == 2
    assert text.count("First hospital (MyOrg1MSP) <small>always</small>") == 2
