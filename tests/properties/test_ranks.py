"""Ranks and order of random task graphs, against an oracle that looks at each task alone."""

from uuid import UUID

from hypothesis import given, strategies as st

from assets.compute.graph import sort_by_rank


def key(number: int) -> UUID:
    return UUID(int=number)


def naive_rank(task, parents, known_ranks, above=()):
    """One more than the highest parent; None in or below a cycle, or below an unknown task."""
    if task in known_ranks:
        return known_ranks[task]
    if task in above or task not in parents:
        return None
    ranks = [naive_rank(parent, parents, known_ranks, (*above, task)) for parent in parents[task]]
    return None if None in ranks else 1 + max(ranks, default=-1)


tasks = st.integers(0, 8).map(key)
registered = st.integers(20, 22).map(key)
unknown = st.integers(30, 31).map(key)


def graphs(parents: st.SearchStrategy[UUID]) -> st.SearchStrategy[dict[UUID, list[UUID]]]:
    return st.dictionaries(tasks, st.lists(parents, max_size=3), max_size=9)


@given(
    graphs(st.one_of(tasks, tasks, registered, unknown)),
    st.fixed_dictionaries({key(n): st.integers(0, 50) for n in (20, 21, 22)}),
)
def test_ranks_are_the_oracles(parents, known_ranks):
    expected = {task: naive_rank(task, parents, known_ranks) for task in parents}
    assert sort_by_rank(parents, known_ranks) == {
        task: rank for task, rank in expected.items() if rank is not None
    }


@given(graphs(st.one_of(tasks, registered)))
def test_parents_come_first_and_ties_keep_their_order(parents):
    ranks = sort_by_rank(parents, {key(n): n for n in (20, 21, 22)})
    order = list(ranks)
    given_order = list(parents)
    for task in order:
        for parent in parents[task]:
            assert parent not in parents or order.index(parent) < order.index(task)
    assert order == sorted(order, key=lambda task: (ranks[task], given_order.index(task)))


def test_a_chain_of_ten_thousand_is_no_recursion():
    parents = {key(n): [key(n - 1)] if n else [] for n in range(10_000)}
    assert list(sort_by_rank(parents, {}).values()) == list(range(10_000))
