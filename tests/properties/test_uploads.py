"""Random archives through registration: stored byte for byte, or refused and nothing left."""

import hashlib

import pytest
from django.core.files.base import ContentFile
from hypothesis import given, strategies as st

from assets.common.files.storage import HashingFile
from assets.datasets.registration import register_data_samples
from assets.datasets.specs import DataSampleSpec
from tests import builders
from tests.files.stored import nothing_left, stored_files

from .archives import SUFFIXES, legal_archives
from .helpers import examples

pytestmark = pytest.mark.django_db


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@examples(30)
@given(
    data=st.binary(max_size=300),
    begun=st.lists(st.integers(0, 100), max_size=3),
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=9),
)
def test_the_hash_is_of_one_whole_pass(data, begun, sizes):
    """However it is read, and however often somebody began to read it before."""
    file = HashingFile(ContentFile(data))
    for size in begun:
        file.read(size)
        file.seek(0)
    for size in [*sizes, -1]:
        file.read(size)
    assert (file.checksum, file.bytes_read) == (sha256(data), len(data))


@examples(20)
@given(form_and_data=legal_archives())
def test_archives_are_stored_byte_for_byte_under_a_fitting_suffix(alice, form_and_data):
    form, data = form_and_data
    dataset = builders.make_dataset(alice)
    spec = DataSampleSpec([dataset.key], {"evil.exe": builders.upload(data, "evil.exe")})
    [sample] = register_data_samples(spec, alice)
    sample.refresh_from_db()
    place, name = sample.archive.name.rsplit("/", 1)
    assert (place.split("/")[0], name) == ("data_samples", f"{sample.key}{SUFFIXES[form]}")
    assert stored_files()[sample.archive.name] == data
    assert (sample.checksum, sample.size, sample.path) == (sha256(data), len(data), "")


@examples(20)
@given(form_and_data=legal_archives(), data=st.data())
def test_a_damaged_archive_leaves_nothing_and_names_its_part(alice, client_of, form_and_data, data):
    _, whole = form_and_data
    damaged = whole[: data.draw(st.integers(1, min(400, len(whole) - 1)))]
    dataset = builders.make_dataset(alice)
    archives = {"part": builders.upload(damaged), "other": builders.upload(whole)}
    body = builders.wire_samples(DataSampleSpec([dataset.key], archives))
    with nothing_left():
        answer = client_of(alice).post("/api/data_sample/", body, format="multipart")
    assert answer.status_code == 400
    [problem] = answer.json()["problems"]
    assert problem["field"] == "part"
    assert problem["message"].endswith(".")
