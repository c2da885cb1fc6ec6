"""The only writer of lists of data samples, as tasks take them."""

from collections.abc import Collection, Mapping

import orjson

from ...common.asset_keys import AssetKeys
from ...common.db import bulk
from ..models import SampleSet, SampleSetMember


def intern_sample_sets(values: Collection[AssetKeys]) -> dict[AssetKeys, int]:
    """Return the id of the row of each distinct list of data samples; insert the missing ones.

    The number of queries is constant. Two transactions may intern the same list at once. It does
    not check who may use the samples.
    """
    if not values:
        return {}
    by_digest = {keys.digest: keys for keys in values}
    ids = _sample_set_ids(by_digest)
    # The same order in all transactions, so that none deadlocks.
    missing = {digest: by_digest[digest] for digest in sorted(by_digest.keys() - ids.keys())}
    if missing:
        ids |= _insert_sample_sets(missing)
    if lost := missing.keys() - ids.keys():
        # Another transaction inserted these meanwhile.
        ids |= _sample_set_ids(lost)
    return {keys: ids[digest] for digest, keys in by_digest.items()}


def _sample_set_ids(digests: Collection[str]) -> dict[str, int]:
    rows = SampleSet.objects.filter(digest__any=list(digests))
    return dict(rows.values_list("digest", "pk"))


def _insert_sample_sets(values: Mapping[str, AssetKeys]) -> dict[str, int]:
    """Insert lists by their digests; return the ids of those that no one else has inserted."""
    rows = [
        {"keys": orjson.Fragment(keys.json), "count": len(keys), "digest": digest}
        for digest, keys in values.items()
    ]
    ids = dict(bulk.insert(SampleSet, rows, ignore_conflicts=True, returning=("digest", "id")))
    members = [
        {"sample_set_id": pk, "data_sample_id": key}
        for digest, pk in ids.items()
        for key in dict.fromkeys(values[digest])
    ]
    bulk.insert(SampleSetMember, members)
    return ids
