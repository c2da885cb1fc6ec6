"""The two ways to ask who may, one permission at a time and for whole lists, never disagree."""

import pytest
from hypothesis import given, strategies as st

from assets.accounts.models import Organization
from assets.permissions.access import may_change, may_download, may_register
from assets.permissions.models import Permissions
from assets.permissions.queries import allowing_all, allowing_any
from assets.permissions.registration import intern_permissions
from assets.permissions.specs import PermissionsSpec
from tests import builders
from tests.properties.helpers import examples, rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

ORGANIZATIONS = tuple(f"Org{letter}" for letter in "ABCDE")
ids = st.lists(st.sampled_from(ORGANIZATIONS), max_size=5)
values = st.builds(PermissionsSpec, st.booleans(), ids.map(tuple))


@pytest.fixture
def organizations(db):
    Organization.objects.bulk_create(Organization(id=name) for name in ORGANIZATIONS)


@examples(60)
@given(
    specs=st.lists(values, min_size=1, max_size=6),
    owner=st.sampled_from(ORGANIZATIONS),
    asking=st.lists(st.sampled_from((*ORGANIZATIONS, "Unknown")), min_size=1, max_size=4),
)
def test_rows_and_values_agree(organizations, specs, owner, asking):
    with rolled_back():
        stored = {spec.owned_by(owner) for spec in specs}
        found = intern_permissions(stored)
        rows = Permissions.objects.in_bulk(found.values())
        for value, row in ((value, rows[pk]) for value, pk in found.items()):
            assert row.value == value
            assert [row.allows(who) for who in asking] == [value.allows(who) for who in asking]
        for queryset, combine in ((allowing_all(asking), all), (allowing_any(asking), any)):
            expected = {
                pk for value, pk in found.items() if combine(value.allows(who) for who in asking)
            }
            assert set(queryset.values_list("pk", flat=True)) == expected


@examples(30)
@given(specs=st.lists(values, max_size=6), owner=st.sampled_from(ORGANIZATIONS))
def test_equal_values_share_one_row_however_they_are_written(organizations, specs, owner):
    with rolled_back():
        stored = [spec.owned_by(owner) for spec in specs]
        first = intern_permissions(stored)
        again = intern_permissions(spec.owned_by(owner) for spec in reversed(specs))
        assert first == again
        assert Permissions.objects.count() == len(set(stored)) == len(first)
        for value, pk in first.items():
            names = Permissions.objects.get(pk=pk).organizations.values_list("pk", flat=True)
            assert sorted(names) == list(value.authorized_ids)


@pytest.mark.parametrize(
    "permissions", [builders.PUBLIC, builders.PRIVATE], ids=["public", "private"]
)
def test_a_user_without_organisation_is_allowed_nothing(alice, root, permissions):
    """A superuser sees every row, and acts for no organisation: what is public is for those."""
    dataset = builders.make_dataset(alice, permissions=permissions)
    assert not may_download(root, dataset.permissions)
    assert not may_change(root, dataset)
    assert not may_register(root)


def test_an_account_that_is_switched_off_is_allowed_nothing(alice):
    dataset = builders.make_dataset(alice)
    assert may_download(alice, dataset.permissions)
    assert may_change(alice, dataset)
    alice.is_active = False
    assert not may_download(alice, dataset.permissions)
    assert not may_change(alice, dataset)
