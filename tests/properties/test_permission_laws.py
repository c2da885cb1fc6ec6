"""The union of permissions obeys the laws of sets.

Laws that speak of meaning are checked by asking every organisation; laws that speak of values
hold for values as they are stored: ids sorted, once each.
"""

from hypothesis import given, strategies as st

from assets.permissions.specs import PermissionsSpec, union

ORGANIZATIONS = ("Ada", "Bob", "Cyr", "Dan", "Eve")
# An organisation that no permission names, and a user who belongs to none.
ASKING = (*ORGANIZATIONS, "Stranger", None)

given_ids = st.lists(st.sampled_from(ORGANIZATIONS), max_size=6).map(tuple)
anything = st.builds(PermissionsSpec, st.booleans(), given_ids)
private = st.builds(PermissionsSpec, st.just(False), given_ids)


def stored(permissions: PermissionsSpec) -> PermissionsSpec:
    return PermissionsSpec(permissions.public, tuple(sorted(set(permissions.authorized_ids))))


def meaning(permissions: PermissionsSpec) -> dict[str | None, bool]:
    return {organization: permissions.allows(organization) for organization in ASKING}


@given(st.lists(anything, max_size=5))
def test_union_allows_what_any_allows(many):
    any_of = {who: any(one.allows(who) for one in many) for who in ASKING}
    assert meaning(union(many)) == any_of


@given(anything, anything)
def test_order_of_two_does_not_matter(one, other):
    assert union([one, other]) == union([other, one])


@given(anything, anything, anything)
def test_grouping_of_three_does_not_matter(one, other, third):
    assert union([union([one, other]), third]) == union([one, union([other, third])])
    assert union([one, other, third]) == union([union([one, other]), third])


@given(private.map(stored))
def test_combined_with_itself_is_itself(permissions):
    assert union([permissions, permissions]) == permissions


@given(given_ids)
def test_public_permissions_name_no_organisations(ids):
    """The one value that a combination with itself changes: a public list has no meaning."""
    assert union([PermissionsSpec(True, ids)] * 2) == PermissionsSpec(True)


@given(anything)
def test_none_and_all(permissions):
    none, everyone = PermissionsSpec(), PermissionsSpec(True)
    assert meaning(union([permissions, none])) == meaning(permissions)
    assert union([permissions, everyone]) == everyone
    assert union([]) == none


@given(anything, st.sampled_from(ORGANIZATIONS))
def test_owned_by_adds_only_the_owner(permissions, owner):
    owned = permissions.owned_by(owner)
    assert owned == stored(owned) == owned.owned_by(owner)
    assert meaning(owned) == {**meaning(permissions), owner: True}
