"""Lookups written in SQL, against the same question asked in Python. On whichever database."""

import datetime
import uuid

import pytest
from django.db import connection
from hypothesis import given, strategies as st

from assets.common.db.lookups import MetadataHas, MetadataValue
from assets.compute.models import ComputePlan
from assets.permissions.models import Permissions
from tests import builders

from .helpers import AWKWARD, examples, legal_metadata, legal_texts, rolled_back

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

texts = st.sampled_from([text for text in AWKWARD if text.strip() and "__" not in text])
metadatas = st.one_of(legal_metadata, st.dictionaries(texts, texts, max_size=3))


def plans_with(metadatas, owner):
    """A plan for each; rules are left out: only lookups are tested."""
    return {
        ComputePlan.objects.create(
            owner=owner, name="n", digest="", metadata=metadata
        ).key: metadata
        for metadata in metadatas
    }


def plain(text: str) -> str:
    return text.replace(" ", "")


def folded(text: str) -> str:
    """In capitals, as the database makes them; SQLite knows those of ASCII only."""
    if connection.vendor == "sqlite":
        return "".join(char.upper() if char.isascii() else char for char in text)
    # One letter for one: "ß" stays what it is.
    return "".join(char.upper() if len(char.upper()) == 1 else char for char in text)


COMPARISONS = {
    "exists": lambda found, wanted: True,
    "is": lambda found, wanted: plain(found) == plain(wanted),
    "contains": lambda found, wanted: folded(plain(wanted)) in folded(plain(found)),
}


def naive_has(metadata, key, comparison, wanted) -> bool:
    return any(
        plain(name) == plain(key) and COMPARISONS[comparison](found, wanted)
        for name, found in metadata.items()
    )


@examples(60)
@given(
    metadatas=st.lists(metadatas, min_size=1, max_size=3),
    data=st.data(),
    comparison=st.sampled_from(tuple(COMPARISONS)),
)
def test_metadata_has(org_a, metadatas, data, comparison):
    pairs = [pair for metadata in metadatas for pair in metadata.items()]
    keys, values = (
        st.sampled_from([*column, "?"]) for column in zip(*pairs, ("", ""), strict=True)
    )
    key, value = data.draw(st.one_of(keys, legal_texts)), data.draw(st.one_of(values, legal_texts))
    with rolled_back():
        plans = plans_with(metadatas, org_a)
        found = ComputePlan.objects.filter(MetadataHas("metadata", key, comparison, value))
        assert {plan.key for plan in found} == {
            plan for plan, metadata in plans.items() if naive_has(metadata, key, comparison, value)
        }


@pytest.mark.parametrize(
    ("metadata", "key", "comparison", "value", "found"),
    [
        ({"a b": "c"}, "ab", "exists", "", True),
        ({"ab": "c"}, "a b", "exists", "", True),
        ({"ab": "c"}, "AB", "exists", "", False),
        ({"a": "b c"}, "a", "is", "bc", True),
        ({"a": "bc"}, "a", "is", "BC", False),
        ({"a": "bcd"}, "a", "is", "bc", False),
        ({"a": "bCd"}, "a", "contains", "Cd", True),
        ({"a": "bcd"}, "a", "contains", "CD", True),
        ({"a": "BCD"}, "a", "contains", "cd", True),
        ({"a": "b c"}, "a", "contains", "bc", True),
        ({"a": "100"}, "a", "contains", "%", False),
        ({"a": "100%"}, "a", "contains", "0%", True),
        ({"a": "bc"}, "a", "contains", "b_", False),
        ({"a": "b\\c"}, "a", "contains", "b\\c", True),
        ({"a": "b", "0": "1"}, "0", "is", "1", True),
        ({"a": "b", "c": "d"}, "a", "is", "d", False),
        ({"a": ""}, "a", "is", "", True),
        ({}, "a", "contains", "", False),
    ],
)
def test_metadata_has_what_a_person_expects(org_a, metadata, key, comparison, value, found):
    plans_with([metadata], org_a)
    condition = MetadataHas("metadata", key, comparison, value)
    assert ComputePlan.objects.filter(condition).exists() == found
    assert naive_has(metadata, key, comparison, value) == found


# Not in what hypothesis draws: no metadata holds these, but who filters may ask for them.
@pytest.mark.parametrize("text", ["\0", "a\0b", "\x1f"])
def test_metadata_has_nothing_that_no_metadata_may_hold(org_a, text):
    plans_with([{"a": "ab"}], org_a)
    for key, value in ((text, ""), ("a", text)):
        found = ComputePlan.objects.filter(MetadataHas("metadata", key, "contains", value))
        assert not found.exists()


@examples(40)
@given(metadatas=st.lists(metadatas, min_size=1, max_size=3), data=st.data())
def test_metadata_value(org_a, metadatas, data):
    keys = [key for metadata in metadatas for key in metadata]
    key = data.draw(st.one_of(st.sampled_from([*keys, "?"]), legal_texts))
    with rolled_back():
        plans = plans_with(metadatas, org_a)
        rows = ComputePlan.objects.annotate(value=MetadataValue("metadata", key))
        assert dict(rows.values_list("key", "value")) == {
            plan: metadata.get(key) for plan, metadata in plans.items()
        }
        ordered = rows.order_by(MetadataValue("metadata", key).desc(), "pk")
        assert len(ordered) == len(plans)


DAY = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)

# For each field, values of which some plans have some.
VALUES = {
    "key": [uuid.UUID(int=number) for number in (1, 2, 3)],
    "owner_id": ["MyOrg1MSP", "MyOrg2MSP"],
    "name": [text for text in AWKWARD if text],
    "task_count": [0, 1, 7, 2**31 - 1],
    "creation_date": [DAY, DAY.replace(microsecond=1), DAY - datetime.timedelta(days=1)],
    "failed_task_key": [uuid.UUID(int=number) for number in (4, 5)],
}
# Values that no plan has.
ABSENT = {"owner_id": ["Unknown"], "key": [uuid.uuid4()], "name": ["unknown's"], "task_count": [8]}


@examples(40)
@given(
    plans=st.lists(
        st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()}),
        max_size=4,
        unique_by=lambda values: values["key"],
    ),
    wanted=st.fixed_dictionaries(
        {
            name: st.lists(st.sampled_from([*values, *ABSENT.get(name, ())]), max_size=4)
            for name, values in VALUES.items()
        }
    ),
)
def test_any_finds_what_in_finds(org_a, org_b, plans, wanted):
    with rolled_back():
        ComputePlan.objects.bulk_create(ComputePlan(digest="", **values) for values in plans)
        for name, values in wanted.items():
            found, expected = (
                set(ComputePlan.objects.filter(**{f"{name}__{lookup}": values}).values_list("key"))
                for lookup in ("any", "in")
            )
            assert found == expected, name


def test_any_of_other_columns(alice):
    """Numbers, truth values, and keys of other tables by column, by object and across a join."""
    dataset = builders.make_dataset(alice, permissions=builders.PUBLIC)
    [sample] = builders.make_samples(alice, dataset.key)
    rows = Permissions.objects
    assert rows.filter(public__any=[True]).get() == dataset.permissions
    assert rows.filter(pk__any=[dataset.permissions_id, 0]).get() == dataset.permissions
    links = sample.links
    assert links.filter(dataset__any=[dataset.key]).exists()
    assert links.filter(dataset_id__any=[dataset.key]).exists()
    assert links.filter(data_sample__owner__any=["MyOrg1MSP"]).exists()
    assert not links.filter(dataset__any=[sample.key]).exists()


def test_any_takes_more_values_than_a_statement_takes_parameters(alice):
    dataset = builders.make_dataset(alice)
    keys = [uuid.UUID(int=number) for number in range(100_000)]
    assert type(dataset).objects.filter(key__any=[*keys, dataset.key]).get() == dataset
