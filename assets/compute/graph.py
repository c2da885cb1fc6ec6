"""The task graph: dependency order and ranks."""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def sort_by_rank(
    parents: Mapping[Key, Collection[Key]], known_ranks: Mapping[Key, int]
) -> dict[Key, int]:
    """Return each task's rank, in dependency order, ties in the order given.

    A task without parents has rank 0, any other one more than its highest parent. Tasks that have
    no rank are left out: those in a cycle, below one, or with an unknown parent.

    Args:
        parents: the parents of every task to be ranked, each among them or in `known_ranks`.
        known_ranks: ranks of tasks that are registered already.
    """
    children: dict[Key, list[Key]] = defaultdict(list)
    missing: dict[Key, int] = {}
    ranks = dict.fromkeys(parents, 0)
    for key, above in parents.items():
        distinct = set(above)
        ranks[key] = max((known_ranks[p] + 1 for p in distinct if p in known_ranks), default=0)
        pending = [parent for parent in distinct if parent not in known_ranks]
        missing[key] = len(pending)
        for parent in pending:
            children[parent].append(key)
    ready = [key for key, count in missing.items() if count == 0]
    for key in ready:  # grows while the loop runs
        for child in children[key]:
            ranks[child] = max(ranks[child], ranks[key] + 1)
            missing[child] -= 1
            if missing[child] == 0:
                ready.append(child)
    position = {key: index for index, key in enumerate(parents)}
    return {key: ranks[key] for key in sorted(ready, key=lambda key: (ranks[key], position[key]))}
