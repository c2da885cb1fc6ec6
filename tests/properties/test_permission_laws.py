"""Union and intersection of permissions obey the laws of sets.

Laws that speak of meaning are checked by asking every organisation; laws that speak of values
hold for values as they are stored: ids sorted, once each.
"""

import functools
import operator

from hypothesis import given, strategies as st

from assets.permissions.specs import PermissionsSpec, union

ORGANIZATIONS = ("Ada", "Bob", "Cyr", "Dan", "Eve")
# An organisation that no permission names, and none at all.
ASKING = (*ORGANIZATIONS, "Stranger", None)

given_ids = st.lists(st.sampled_from(ORGANIZATIONS), max_size=6).map(tuple)
anything = st.builds(PermissionsSpec, st.booleans(), given_ids)
private = st.builds(PermissionsSpec, st.just(False), given_ids)


def stored(permissions: PermissionsSpec) -> PermissionsSpec:
    return PermissionsSpec(permissions.public, tuple(sorted(set(permissions.authorized_ids))))


def meaning(permissions: PermissionsSpec) -> dict[str | None, bool]:
    return {organization: permissions.allows(organization) for organization in ASKING}


@given(anything, anything)
def test_union_allows_what_either_allows(one, other):
    either = {who: one.allows(who) or other.allows(who) for who in ASKING}
    assert meaning(one | other) == either


@given(anything, anything)
def test_intersection_allows_what_both_allow(one, other):
    both = {who: one.allows(who) and other.allows(who) for who in ASKING}
    assert meaning(one & other) == both


@given(anything, anything)
def test_order_of_two_does_not_matter(one, other):
    assert one | other == other | one
    assert stored(one & other) == stored(other & one)


@given(anything, anything, anything)
def test_grouping_of_three_does_not_matter(one, other, third):
    assert (one | other) | third == one | (other | third)
    assert stored((one & other) & third) == stored(one & (other & third))


@given(private.map(stored))
def test_combined_with_itself_is_itself(permissions):
    assert permissions | permissions == permissions
    assert permissions & permissions == permissions


@given(given_ids)
def test_public_with_itself_names_no_one(ids):
    """The one value that a combination with itself changes: a public list has no meaning."""
    public = PermissionsSpec(True, ids)
    assert public | public == public & public == PermissionsSpec(True)
    assert meaning(public | public) == meaning(public)


@given(anything, anything)
def test_absorption(one, other):
    assert meaning(one | (one & other)) == meaning(one)
    assert meaning(one & (one | other)) == meaning(one)


@given(private.map(stored), private.map(stored))
def test_absorption_gives_back_a_private_value(one, other):
    assert one | (one & other) == one
    assert one & (one | other) == one


@given(anything, anything, anything)
def test_each_distributes_over_the_other(one, other, third):
    assert meaning(one & (other | third)) == meaning((one & other) | (one & third))
    assert meaning(one | (other & third)) == meaning((one | other) & (one | third))


@given(anything)
def test_no_one_and_everyone(permissions):
    no_one, everyone = PermissionsSpec(), PermissionsSpec(True)
    assert meaning(permissions | no_one) == meaning(permissions & everyone) == meaning(permissions)
    assert meaning(permissions & no_one) == meaning(no_one)
    assert permissions | everyone == everyone


@given(st.lists(anything, max_size=5))
def test_union_of_many_is_union_by_twos(many):
    assert union(many) == functools.reduce(operator.or_, many, PermissionsSpec())


@given(anything, st.sampled_from(ORGANIZATIONS))
def test_owned_by_adds_the_owner_and_no_one_else(permissions, owner):
    owned = permissions.owned_by(owner)
    assert owned == stored(owned) == owned.owned_by(owner)
    assert meaning(owned) == {**meaning(permissions), owner: True}
