"""The permission picker."""

import pytest
from django.http import QueryDict

from assets.permissions.forms import PermissionPicker, PermissionsField
from tests.builders import PRIVATE, PUBLIC, only_to

SENT = {
    "nothing": ("", PRIVATE),
    "public": ("p-public=on", PUBLIC),
    "two organisations": ("p-authorized_ids=A&p-authorized_ids=B", only_to("A", "B")),
    "public and one": ("p-public=on&p-authorized_ids=A", PUBLIC._replace(authorized_ids=("A",))),
    "another field's": ("q-public=on&q-authorized_ids=A", PRIVATE),
}


@pytest.mark.parametrize(("query", "value"), SENT.values(), ids=SENT)
def test_what_is_sent_is_read(query, value):
    picker = PermissionPicker()
    data = QueryDict(query)
    assert picker.value_from_datadict(data, {}, "p") == value
    plain = {name: data.getlist(name) for name in data}
    assert picker.value_from_datadict(plain, {}, "p") == value
    assert not picker.value_omitted_from_data(data, {}, "p")
    assert PermissionsField().clean(value) == value


@pytest.mark.parametrize(
    ("value", "changed"), [(PRIVATE, False), (PUBLIC, True), (only_to("A"), True)]
)
def test_a_picker_that_no_one_touched_has_not_changed(value, changed):
    assert PermissionsField().has_changed(None, value) == changed


def test_the_owner_is_shown_first_and_cannot_be_left_out(alice, org_b, org_c):
    field = PermissionsField()
    field.bind_actor(alice)
    html = field.widget.render("p", only_to("MyOrg3MSP"), {"id": "id_p"})
    assert html.index("First hospital") < html.index("Second hospital")
    assert html.count("disabled") == 1
    assert 'value="MyOrg1MSP"' not in html
    assert 'name="p-authorized_ids" value="MyOrg2MSP">' in html
    assert 'name="p-authorized_ids" value="MyOrg3MSP" checked>' in html
    assert 'name="p-public">' in html
    assert 'name="p-public" checked>' in field.widget.render("p", PUBLIC)


def test_names_are_escaped(alice, org_a):
    org_a.name = "<b>bold</b>"
    org_a.save()
    assert "<b>" not in PermissionPicker().render("p", PRIVATE)
