"""Digests are equal exactly when contents are: what idempotent registering stands on."""

from dataclasses import replace
from uuid import UUID

from hypothesis import given, strategies as st

from assets.compute.inputs import InputRef, grouped
from assets.compute.specs import ComputePlanSpec, OutputSpec, TaskSpec
from assets.permissions.models import digest_of
from assets.permissions.specs import PermissionsSpec

from .helpers import examples, legal_metadata, legal_texts

OWNER = "Owner"

# Few values, so that two contents are often equal, or differ in one place.
keys = st.integers(1, 2).map(lambda number: UUID(int=number))
words = st.sampled_from(("", "a", "b"))
identifiers = st.sampled_from(("model", "shared"))
metadata = st.dictionaries(st.sampled_from("ab"), words, max_size=2)
ids = st.sampled_from(((), ("B",), ("B", OWNER), ("C", "B"), ("B", "C")))
permissions = st.builds(PermissionsSpec, st.booleans(), ids)
refs = st.one_of(
    st.builds(InputRef, identifiers, keys),
    st.builds(InputRef, identifiers, st.none(), keys, identifiers),
)
tasks = st.builds(
    TaskSpec,
    key=keys,
    function_key=keys,
    tag=words,
    metadata=metadata,
    inputs=st.lists(refs, max_size=2).map(grouped),
    worker=words,
    outputs=st.dictionaries(
        st.just("model"), st.builds(OutputSpec, permissions, st.booleans()), min_size=1
    ),
)
plans = st.builds(ComputePlanSpec, key=keys, name=words, tag=words, metadata=metadata)


def content_of(task: TaskSpec):
    """What a task says, apart from its key, plan, owner and worker."""
    outputs = {
        name: (
            output.permissions.public,
            {*output.permissions.authorized_ids, OWNER},
            output.transient,
        )
        for name, output in task.outputs.items()
    }
    return task.function_key, task.tag, task.metadata, task.refs, outputs


def nearly(specs: st.SearchStrategy, *fields: str) -> st.SearchStrategy[tuple]:
    """Two specs that differ in at most one of the fields."""
    return st.builds(
        lambda one, other, field: (one, replace(one, **{field: getattr(other, field)})),
        specs,
        specs,
        st.sampled_from(fields),
    )


@examples(150)
@given(nearly(tasks, "outputs", "inputs", "outputs", "metadata", "function_key", "tag", "worker"))
def test_tasks_have_equal_digests_when_their_contents_are_equal(pair):
    one, other = pair
    equal = content_of(one) == content_of(other)
    assert (one.digest(OWNER) == other.digest(OWNER)) == equal


@given(nearly(plans, "name", "tag", "metadata", "key"))
def test_plans_have_equal_digests_when_their_contents_are_equal(pair):
    one, other = pair
    equal = (one.name, one.tag, one.metadata) == (other.name, other.tag, other.metadata)
    assert (one.digest() == other.digest()) == equal


@given(permissions, permissions)
def test_permissions_have_equal_digests_when_they_are_stored_equal(one, other):
    one, other = one.owned_by(OWNER), other.owned_by(OWNER)
    assert (digest_of(one) == digest_of(other)) == (one == other)


@given(tasks, st.randoms(use_true_random=False))
def test_order_matters_for_inputs_only(task, random):
    def shuffled(mapping):
        items = list(mapping.items())
        random.shuffle(items)
        return dict(items)

    before = task.digest(OWNER)
    task.metadata, task.outputs = shuffled(task.metadata), shuffled(task.outputs)
    assert task.digest(OWNER) == before
    refs = task.refs
    task.inputs = grouped(refs[::-1])
    assert (task.digest(OWNER) == before) == (refs == refs[::-1])


@given(tasks, permissions)
def test_naming_the_owner_says_nothing_new(task, value):
    task.outputs = {"model": OutputSpec(value)}
    before = task.digest(OWNER)
    task.outputs = {"model": OutputSpec(value.owned_by(OWNER))}
    assert task.digest(OWNER) == before != task.digest("Somebody else")


@given(legal_texts, legal_metadata)
def test_every_legal_text_has_a_digest(text, metadata):
    spec = ComputePlanSpec(UUID(int=1), text, text, metadata)
    assert len(spec.digest()) == 64
    assert spec.digest() != ComputePlanSpec(UUID(int=1), text + "x", text, metadata).digest()
