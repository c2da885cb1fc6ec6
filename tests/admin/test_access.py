"""Who may look, register, change and download in the admin. Contract 3.8, decision 7."""

import pytest
from django.test import Client

from assets.common.db.models import Asset
from assets.feed.models import Event
from tests.builders import (
    PRIVATE,
    PUBLIC,
    dataset_spec,
    function_spec,
    make_dataset,
    make_function,
    plan_spec,
)
from tests.cast import PASSWORD
from tests.rules.cases import everything
from tests.rules.requests import Rename, Tasks

from .interface import admin_url

EVERYBODY = ("victor", "alice", "ada", "bob", "root")
REGISTERING = ("alice", "ada", "bob")
OWNERS = ("alice", "ada")
WHY_NOT = {
    "victor": "Your role is viewer, which cannot register or change anything",
    "root": "Your account belongs to no organisation",
}


@pytest.fixture
def assets(world) -> dict[str, Asset]:
    """One asset of each kind, all Alice's."""
    task = world.parent
    return {
        "dataset": world.dataset,
        "datasample": world.samples[0],
        "function": world.train,
        "computeplan": world.plan,
        "task": Tasks([task]).specs[0],
        "model": world.model(),
    }


KINDS = ("dataset", "datasample", "function", "computeplan", "task")


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("kind", [*KINDS, "model"])
def test_every_user_sees_every_asset(kind, name, assets, world, session_of):
    browser = session_of(world.users[name])
    key = assets[kind].key
    listed = browser.get(admin_url(kind, "changelist"))
    shown = browser.get(admin_url(kind, "change", key))
    assert (listed.status_code, shown.status_code) == (200, 200)
    assert str(key) in listed.content.decode()
    assert str(key) in shown.content.decode()


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("kind", KINDS)
def test_who_is_given_the_page_that_adds(kind, name, world, session_of):
    browser = session_of(world.users[name])
    page = browser.get(admin_url(kind, "add"))
    listed = browser.get(admin_url(kind, "changelist")).content.decode()
    if name in REGISTERING:
        assert page.status_code == 200
        assert "You can view everything here but cannot add anything" not in listed
    else:
        assert page.status_code == 403
        assert WHY_NOT[name] in page.content.decode()
        assert WHY_NOT[name] in listed
    assert (admin_url(kind, "add") in listed) == (name in REGISTERING)


@pytest.mark.parametrize("name", WHY_NOT)
@pytest.mark.parametrize("build", [dataset_spec, function_spec, plan_spec])
def test_who_registers_nothing(build, name, admin, world):
    admin.session_of(world.users[name])
    before = everything()
    page = admin.send(world.users[name], build())
    assert page.response.status_code == 403
    assert WHY_NOT[name] in page.text
    assert everything() == before


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("kind", ["dataset", "function", "computeplan"])
def test_who_renames(kind, name, admin, assets, world):
    asset = assets[kind]
    page = admin.send(world.users[name], Rename(asset, "Another name"))
    asset.refresh_from_db()
    assert (asset.name == "Another name") == (name in OWNERS)
    assert page.response.status_code == (302 if name in OWNERS else 403)
    assert Event.objects.filter(action=Event.Action.RENAMED).count() == (name in OWNERS)


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("kind", [*KINDS, "model", "event", "permissions"])
def test_assets_cannot_be_deleted(kind, name, assets, world, session_of):
    browser = session_of(world.users[name])
    key = assets[kind].key if kind in assets else 1
    before = everything()
    assert browser.get(admin_url(kind, "delete", key)).status_code in (302, 403)
    assert browser.post(admin_url(kind, "delete", key), {"post": "yes"}).status_code in (302, 403)
    chosen = {"action": "delete_selected", "_selected_action": [str(key)], "post": "yes"}
    listed = browser.post(admin_url(kind, "changelist"), chosen, follow=True)
    assert "Delete selected" not in listed.content.decode()
    assert everything() == before


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("kind", ["event", "permissions", "model", "performance", "failurereport"])
def test_derived_rows_are_read_only(kind, name, world, session_of):
    browser = session_of(world.users[name])
    assert browser.get(admin_url(kind, "changelist")).status_code == 200
    assert browser.get(admin_url(kind, "add")).status_code == 403
    assert browser.post(admin_url(kind, "add"), {}).status_code == 403


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        pytest.param(PRIVATE, {"victor", "alice", "ada"}, id="private"),
        pytest.param(PUBLIC, {"victor", "alice", "ada", "bob"}, id="public"),
    ],
)
@pytest.mark.parametrize("name", EVERYBODY)
def test_download_links_are_those_that_work(name, permissions, allowed, world, session_of):
    dataset = make_dataset(world.alice, permissions=permissions)
    function = make_function(world.alice, permissions=permissions)
    model = world.model(permissions)
    browser = session_of(world.users[name])
    for kind, asset, paths in (
        ("dataset", dataset, ["data_manager/{}/opener", "data_manager/{}/description"]),
        ("function", function, ["function/{}/file", "function/{}/description"]),
        ("model", model, ["model/{}/file"]),
    ):
        text = browser.get(admin_url(kind, "change", asset.key)).content.decode()
        for path in paths:
            url = f"/api/{path.format(asset.key)}/"
            assert (f'href="{url}"' in text) == (name in allowed)
            response = browser.get(url)
            b"".join(response)  # the client closes the file, and not the connection, at its end
            assert (response.status_code == 200) == (name in allowed)


def test_checksums_and_sizes_are_shown(world, session_of):
    text = session_of(world.bob).get(admin_url("dataset", "change", world.dataset.key))
    assert world.dataset.opener_checksum in text.content.decode()
    assert world.dataset.description_checksum in text.content.decode()


@pytest.mark.parametrize(("name", "visible"), [("alice", True), ("bob", False), ("root", False)])
def test_only_the_owner_sees_what_a_sample_holds(name, visible, world, session_of):
    sample = world.samples[0]
    browser = session_of(world.users[name])
    page = browser.get(admin_url("datasample", "change", sample.key)).content.decode()
    assert (sample.checksum in page) == visible


def test_strangers_are_sent_to_sign_in(db):
    for kind in (*KINDS, "user", "event"):
        page = Client().get(admin_url(kind, "changelist"))
        assert page.status_code == 302
        assert page["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", EVERYBODY)
def test_every_user_signs_in_with_a_password(name, world):
    browser = Client()
    page = browser.post("/admin/login/?next=/admin/", {"username": name, "password": PASSWORD})
    assert (page.status_code, page["Location"]) == (302, "/admin/")
    assert browser.get("/admin/").status_code == 200


def test_who_was_deactivated_does_not_sign_in(world):
    world.bob.is_active = False
    world.bob.save()
    page = Client().post("/admin/login/", {"username": "bob", "password": PASSWORD})
    assert page.status_code == 422
