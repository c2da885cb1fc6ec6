"""A registered row does not change, whatever its page receives."""

import pytest

from assets.common.text.folding import folded, order_key
from assets.datasets.models import DataSampleLink
from assets.feed.models import Event
from tests.rules.cases import everything
from tests.rules.requests import Rename

from .interface import admin_url, rows


def tampered(kind: str) -> dict:
    """Every field of the page that adds, with other values than registered."""
    row = {"identifier": "more", "kind": "ASSET_MODEL", "multiple": "on"}
    return {
        "key": "11111111-1111-4111-8111-111111111111",
        "owner": "MyOrg2MSP",
        "type": "changed",
        "tag": "changed",
        "metadata": "changed: yes",
        "status": "FUNCTION_STATUS_READY",
        "creation_date": "2020-01-01",
        "permissions-public": "on",
        "logs_permission-public": "on",
        **rows("inputs", [row, row]),
        **rows("outputs", [row]),
        **rows("links", [{"dataset": "11111111-1111-4111-8111-111111111111"}]),
    }


@pytest.mark.parametrize("kind", ["dataset", "train", "plan"])
def test_only_the_name_changes(kind, admin, world):
    asset = getattr(world, kind)
    admin.session_of(world.alice)
    before = everything()
    url, data = admin.form(Rename(asset, "Another name"))
    page = admin.post(world.alice, url, {**data, **tampered(kind)})
    assert page.accepted, page.errors
    after = everything()
    changed = {table for table in before if before[table] != after[table]}
    table = asset._meta.db_table
    assert changed == {table, Event._meta.db_table}
    for of in (str, folded, order_key):  # the name, and what searches and lists read of it
        new, old = (repr(of(name))[1:-1] for name in ("Another name", asset.name))
        after[table] = [row.replace(new, old) for row in after[table]]
    assert after[table] == before[table]


def test_a_task_does_not_change_at_all(admin, world):
    url = admin_url("task", "change", world.parent.key)
    admin.session_of(world.alice)
    before = everything()
    assert admin.post(world.alice, url, tampered("task")).response.status_code == 403
    assert everything() == before


def test_a_sample_is_linked_and_never_unlinked(admin, world):
    sample = world.samples[0]
    url = admin_url("datasample", "link", sample.key)
    data = {**tampered("datasample"), "datasets": [world.other_dataset.key]}
    assert admin.post(world.alice, url, data).accepted
    linked = DataSampleLink.objects.filter(data_sample=sample).values_list("dataset", flat=True)
    assert set(linked) == {world.dataset.key, world.other_dataset.key}


@pytest.mark.parametrize("name", ["bob", "victor", "root"])
def test_others_link_nothing(name, admin, world):
    url = admin_url("datasample", "link", world.samples[0].key)
    data = {"datasets": [world.other_dataset.key]}
    admin.session_of(world.users[name])
    before = everything()
    assert admin.post(world.users[name], url, data).response.status_code == 403
    assert everything() == before


@pytest.mark.parametrize("kind", ["dataset", "train", "plan"])
def test_the_page_of_an_asset_has_no_field(kind, admin, world):
    asset = getattr(world, kind)
    url = admin_url(asset._meta.model_name, "change", asset.key)
    page = admin.session_of(world.alice).get(url)
    assert not page.context["adminform"].form.fields
    assert not page.context["has_change_permission"]
    for inline in page.context["inline_admin_formsets"]:
        assert not inline.has_add_permission
        assert not inline.has_change_permission
    before = everything()
    assert admin.post(world.alice, url, {"name": "Another name"}).response.status_code == 403
    assert everything() == before


@pytest.mark.parametrize("kind", ["dataset", "train", "plan"])
def test_the_page_that_renames_has_one_field(kind, world, session_of):
    asset = getattr(world, kind)
    page = session_of(world.alice).get(admin_url(asset._meta.model_name, "rename", asset.key))
    assert list(page.context["form"].fields) == ["name"]
